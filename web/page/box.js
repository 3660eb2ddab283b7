// The light box: one picture, large, with its weight, tags, name, what it seems to show, its mosaic and its like.

import { BASE, Problem, address, ask, get, path, query } from "./api.js";
import { $, $$, attempt, copy, couple, decimal, h, icon, list, percent, picture, report, set, size, titled } from "./dom.js";
import { listed } from "./gallery.js";
import { change, inspect, listen, patch, record, remove, state } from "./state.js";

const LIKE = 12;
const SWIPE = 48; // pixels
const box = $(".box");
const form = $(".change", box);

let image = null; // as the service has it
let turns = 0;

const neighbours = () => {
  const all = listed();
  return all.some(({ id }) => id === state.picture) ? all : [...state.rows];
};

/** Open, change or close the light box, as the state says. */
function follow({ picture: id, gone }) {
  if (!id || gone.has(id)) {
    if (box.open) box.close();
    image = null;
    return;
  }
  if (image?.id === id) return place();
  const known = neighbours().find((one) => one.id === id);
  image = { id, ...known };
  if (known) show(known);
  const turn = ++turns;
  inspect(id).then((read) => turn === turns && show(read), (error) => {
    if (turn !== turns || !error.status) return report(error);
    leave();
    report(error.status === 404 ? Object.assign(error, { message: "This picture was deleted." }) : error);
  });
}

function leave() {
  const id = state.picture;
  change({ picture: "" });
  record();
  if (box.open) box.close();
  image = null;
  ($(`#gallery [data-key="${id}"] button`) ?? $(".frame")).focus();
}

function show(read) {
  const first = image?.shown !== read.id;
  image = { ...read, shown: read.id };
  if (!box.open) box.showModal();
  $("#box-title").replaceChildren(`${titled(read)} `, h("small"));
  place();
  if (first) {
    mode("picture");
    $(".wipe").replaceChildren(picture(read, 1024, { alt: `${titled(read)}, ${read.label}` }));
    set($(".wipe"), { "--r": read.width / read.height });
    $(".similar ul").replaceChildren();
    $(".similar p").textContent = "";
    set($("#alike"), { hidden: state.status?.search === "none" });
    $("#box-title").focus();
  }
  $(".error", box).textContent = "";
  weigh(read.weight);
  tags();
  $("#rename").value = read.filename ?? "";
  const seen = read.labels ?? [];
  $(".guesses").hidden = !seen.length;
  list($(".guess"), seen, ({ name }) => name, ({ name, confidence }) => h("li", {}, h("span", { textContent: name }), h("div.track", {}, set(h("i.new"), { "--p": confidence / 100 })), h("span", { textContent: `${Math.round(confidence)}%` })));
  const facts = { Size: `${read.width} × ${read.height}, ${size(read.bytes)}, ${read.contentType.slice(6).toUpperCase()}`, Added: new Date(read.created).toLocaleString("en-GB", { dateStyle: "long", timeStyle: "short" }) };
  $("dl", box).replaceChildren(...Object.entries(facts).flatMap(([name, text]) => [h("dt", { textContent: name }), h("dd", { textContent: text })]));
  set($("#load"), { href: address(read), download: read.filename ?? read.id.split("/")[1] });
}

function place() {
  const all = neighbours();
  const at = all.findIndex(({ id }) => id === image.id);
  $("#box-title small").textContent = at < 0 ? `in ${image.label}` : `${at + 1} of ${all.length} in ${$("#scope").value === "all" ? "all labels" : image.label}`;
  for (const button of $$(".nav", box)) button.disabled = all.length < 2;
}

function step(by) {
  const all = neighbours();
  const next = all[(all.findIndex(({ id }) => id === state.picture) + by + all.length) % all.length];
  if (!next) return;
  change({ picture: next.id });
  record("replace");
}

// -- weight

/** Show the probability that a weight gives, before it is saved. */
function weigh(weight) {
  const [slider, number] = $$(".weight input", box);
  if (document.activeElement !== number) number.value = decimal(weight);
  if (document.activeElement !== slider) slider.value = weight;
  const total = image.weight / image.probability;
  const next = weight / (total - image.weight + weight);
  const differs = weight !== image.weight;
  $(".prob b").textContent = percent(next);
  $(".prob span").replaceChildren(`${decimal(weight)} of ${decimal(total - image.weight + weight)} in total`, h("br"), h("i", { textContent: differs ? `now ${percent(image.probability)}` : "" }));
  set($(".change .new"), { "--p": next });
  set($(".change .old"), { "--p": image.probability });
  for (const button of $$(".save button")) button.hidden = !differs;
  $(".save .quiet").textContent = `Back to ${decimal(image.weight)}`;
  if (differs) $(".save span").textContent = "";
}

/** Send a change. Where somebody else was faster, show their state, and keep what this person typed. */
async function save(json, done = () => {}) {
  $(".error", box).textContent = "";
  try {
    show(await patch(image, json));
    done();
  } catch (error) {
    if (error.status === 412) {
      const theirs = await inspect(image.id);
      show(theirs);
      const [name] = Object.keys(json);
      const value = name === "weight" ? decimal(theirs.weight) : name === "tags" ? theirs.tags?.join(", ") || "none" : titled(theirs);
      if (name === "weight") weigh(json.weight);
      error.message = `It was changed elsewhere meanwhile: ${name === "filename" ? "the file name" : `the ${name}`} now: ${value}. Save again to set yours.`;
    }
    if (error.status) $(".error", box).textContent = error.message;
    else report(error);
  }
}

// -- tags

function tags() {
  const own = image.tags ?? [];
  const drop = (tag) => h("li.chip", {}, tag, h("button", { ariaLabel: `Remove the tag ${tag}`, onclick: ({ currentTarget }) => attempt(currentTarget, () => save({ tags: own.filter((one) => one !== tag) }, () => $(".edit button, .edit input").focus())) }, icon("x")));
  const input = h("input", { ariaLabel: "A new tag", placeholder: "Add a tag", maxLength: 32, autocapitalize: "none" });
  const more = h("form.row", {}, input, h("button.round", { type: "submit", ariaLabel: "Add the tag" }, icon("plus")));
  more.onsubmit = (event) => {
    event.preventDefault();
    const tag = input.value.trim().toLowerCase();
    if (tag) attempt(input, () => save({ tags: [...own, tag] }, () => $(".edit input").focus()));
  };
  $(".edit").replaceChildren(...own.map(drop), ...(own.length < 5 ? [h("li", {}, more)] : []));
}

// -- mosaic and similar pictures

function mode(name) {
  for (const button of $$("[data-show]")) button.ariaPressed = `${button.dataset.show === name}`;
}

/** Lay the mosaic over the picture, with a divider to drag. */
async function mosaic() {
  const one = image;
  const count = state.labels.find(({ label }) => label === one.label)?.count ?? 0;
  const least = state.status.mosaicTilesMin;
  const tiles = count < least ? "*" : "";
  const all = state.labels.reduce((sum, each) => sum + each.count, 0);
  if (all < least) throw new Problem(`All labels together have ${all} tiles; a mosaic needs ${least}.`);
  const target = `${path(one)}/mosaic?${query({ tiles })}`;
  const over = h("img.over", { alt: `The same picture as a mosaic${tiles ? " of tiles of all labels" : ""}`, src: new URL(target, BASE) });
  await over.decode().catch(async () => {
    await ask("GET", target); // to learn why
    throw new Problem("The mosaic cannot be shown. Try again in a moment.");
  });
  if (image.id !== one.id) return;
  const range = h("input", { type: "range", min: 0, max: 100, value: 50, ariaLabel: "How much of the mosaic is shown" });
  range.oninput = () => set($(".wipe"), { "--at": `${range.value}%` });
  $(".wipe").append(over, h("span.line"), h("span.tag.l", { textContent: "Picture" }), h("span.tag.r", { textContent: tiles ? `Mosaic of all labels: ${one.label} has ${count} of ${least} tiles` : "Mosaic" }), range);
  set($(".wipe"), { "--at": "50%" });
  mode("mosaic");
  range.focus();
}

async function similar() {
  const one = image;
  $(".similar p").textContent = "Looking …";
  const { images } = await get(`${path(one)}/similar?${query({ k: LIKE })}`).catch((error) => {
    $(".similar p").textContent = error.message;
    return {};
  });
  if (!images || image.id !== one.id) return;
  $(".similar p").textContent = images.length ? "" : "There is none yet.";
  list($(".similar ul"), images, ({ id }) => id, (each) => h("li", {}, h("button", { ariaLabel: `${titled(each)}, ${each.label}`, onclick: () => (change({ picture: each.id }), record()) }, picture(each, 256))));
  $(".similar ul button")?.focus();
}

// -- events

couple(form);
form.addEventListener("input", () => {
  const weight = Number(form.elements.weight.value);
  if (weight > 0 && weight < 1) weigh(weight);
});
form.onsubmit = (event) => {
  event.preventDefault();
  attempt($(".save .main"), () => save({ weight: Number(form.elements.weight.value) }, () => ($(".save span").textContent = "Saved.")));
};
form.onreset = (event) => {
  event.preventDefault();
  $("#box-title").focus();
  weigh(image.weight);
};
$(".name", box).onsubmit = (event) => {
  event.preventDefault();
  attempt(event.submitter, () => save({ filename: $("#rename").value.trim() }));
};
$("[data-close]", box).onclick = leave;
box.addEventListener("cancel", (event) => {
  event.preventDefault();
  leave();
});
for (const button of $$("[data-step]", box)) button.onclick = () => step(Number(button.dataset.step));
for (const button of $$("[data-show]", box)) {
  button.onclick = () => {
    if (button.dataset.show === "mosaic") return attempt(button, mosaic);
    $$(".wipe > :not(:first-child)").forEach((element) => element.remove());
    return mode("picture");
  };
}
$("#alike").onclick = ({ currentTarget }) => attempt(currentTarget, similar);
$("#address").onclick = ({ currentTarget }) => copy(currentTarget, address(image));
$("#delete").onclick = erase;

function erase() {
  const one = image;
  const all = neighbours();
  const at = all.findIndex(({ id }) => id === one.id);
  leave();
  remove([{ ...one }]);
  const next = all[at + 1] ?? all[at - 1];
  ($(`#gallery [data-key="${next?.id}"] button`) ?? $("#one")).focus();
}

box.onkeydown = (event) => {
  if (event.target.matches("input")) return;
  const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (by) step(by);
  if (event.key === "Delete") erase();
};
let touched = 0;
$(".view").ontouchstart = ({ touches }) => (touched = touches[0].clientX);
$(".view").ontouchend = ({ changedTouches, target }) => {
  const moved = changedTouches[0].clientX - touched;
  if (!target.matches("input") && Math.abs(moved) > SWIPE) step(moved < 0 ? 1 : -1);
};
listen(follow);
