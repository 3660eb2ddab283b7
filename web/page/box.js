// The light box: one picture, large, with its weight, tags, name, what it seems to show, its mosaic and its like.

import { BASE, Problem, address, ask, get, path, query } from "./api.js";
import { $, $$, attempt, copy, couple, day, decimal, h, held, icon, keepFocus, list, percent, picture, report, set, size, tagsOf, text, titled } from "./dom.js";
import { erase, listed } from "./gallery.js";
import { change, inspect, labelled, listen, look, patch, state, statusKnown } from "./state.js";

const LIKE = 12;
const SWIPE = 48; // pixels
const box = $(".box");
const form = $(".change");
const [slider, number] = $$(".weight input", form);
const wipe = $(".wipe");
const trouble = $(".error", box);
const saved = $(".save span");

let image = null; // as the service has it
let opener = {}; // the element that opened it, and for which image

/** Return the images that the arrows walk through, and the place of this one. */
function neighbours() {
  const all = listed();
  const at = all.findIndex(({ id }) => id === state.picture);
  return at < 0 ? [state.rows, state.rows.findIndex(({ id }) => id === state.picture)] : [all, at];
}

/** Open the light box, change its picture, or close it, as the state says. */
function follow({ picture: id, gone }) {
  if (!id || gone.has(id)) {
    if (box.open) close();
    image = null;
    return;
  }
  if (image?.id === id) return image.label && place();
  if (!box.open) opener = { element: document.activeElement, id };
  const [all, at] = neighbours();
  image = { id };
  if (all[at]) begin({ ...all[at], probability: all[at].weight / labelled(all[at].label)?.totalWeight }); // not the tag's
  inspect(id).then((read) => {
    if (image?.id !== id) return;
    if (all[at]) show(read);
    else begin(read);
  }).catch((error) => {
    if (image?.id === id && (error.status === 404 || !all[at])) leave();
    if (error.status !== 404) return report(error);
    report(Object.assign(error, { message: "This picture was deleted." }));
    change({ images: state.images.filter((one) => one.id !== id) });
  });
}

function close() {
  $("#signin:not([hidden]) [data-close]", box)?.click();
  const toast = $(".toast");
  const said = toast.matches(":popover-open");
  const { id } = image;
  image = null;
  box.close();
  document.body.append(toast);
  if (said) toast.showPopover();
  const back = opener.element?.isConnected && opener.element;
  ((opener.id === id && back) || $(`#gallery [data-key="${id}"] button`) || back || $("#one")).focus({ preventScroll: opener.id === id });
}

/** Close now, since nothing may be said in a dialog that goes. */
function leave() {
  look("");
  if (box.open) close();
}

function begin(other) {
  if (!box.open) box.showModal();
  for (const busy of $$("[aria-busy=true]", box)) busy.ariaBusy = "false"; // with the picture before
  wipe.replaceChildren(picture(other, 1024, { alt: `${titled(other)}, ${other.label}` }));
  set(wipe, { "--r": other.width / other.height });
  $(".similar p").textContent = "";
  $(".similar ul").replaceChildren();
  $("#alike").hidden = state.status?.search === "none";
  mode("picture");
  $("#box-title").focus();
  show(other);
}

/** Show what is known of the picture. What the person is typing stays. */
function show(read) {
  const typed = image.weight !== undefined && Number(number.value) !== image.weight;
  const renamed = image.weight !== undefined && $("#rename").value !== (image.filename ?? "");
  image = read;
  document.title = `${titled(read)} · petAPI`;
  trouble.textContent = saved.textContent = "";
  $("#box-title").replaceChildren(`${titled(read)} `, h("small"));
  place();
  weigh(typed ? Number(number.value) : read.weight);
  tags();
  if (!renamed) $("#rename").value = read.filename ?? "";
  $(".guesses").hidden = !read.labels?.length;
  const bar = ({ name, confidence }) => h("li", {}, text("span", name), h("div.track", {}, h("i.new", { "--p": confidence / 100 })), text("span", `${Math.round(confidence)}%`));
  $(".guess").replaceChildren(...(read.labels ?? []).map(bar));
  const facts = { Size: `${read.width} × ${read.height}, ${size(read.bytes)}, ${read.contentType.slice(6).toUpperCase()}`, Added: day(read.created) };
  $("dl", box).replaceChildren(...Object.entries(facts).flatMap(([name, fact]) => [text("dt", name), text("dd", fact)]));
  $("#load").href = address(read);
}

function place() {
  const [all, at] = neighbours();
  $("#box-title small").textContent = at < 0 ? `in ${image.label}` : `${at + 1} of ${all.length} in ${all.every(({ label }) => label === image.label) ? image.label : "all labels"}`;
  for (const button of $$(".nav", box)) button.disabled = all.length < 2;
}

function step(by) {
  const [all, at] = neighbours();
  if (all.length > 1) look(all.at((at + by) % all.length).id);
}

function weigh(weight) {
  if (document.activeElement !== number) number.value = decimal(weight);
  slider.value = weight;
  const total = image.weight / image.probability - image.weight + weight;
  const differs = weight !== image.weight;
  $(".prob b").textContent = percent(weight / total);
  $(".prob span").replaceChildren(`${decimal(weight)} of ${decimal(total)} in total${state.tag && ` of ${image.label}`}`, h("br"), text("i", differs ? `now ${percent(image.probability)}` : ""));
  set($(".new", form), { "--p": weight / total });
  set($(".old", form), { "--p": image.probability });
  keepFocus(() => $$("button", form).forEach((button) => (button.hidden = !differs)));
  $("[type=reset]", form).textContent = `Back to ${decimal(image.weight)}`;
  if (differs) saved.textContent = "";
}

const CHANGED = {
  weight: ({ weight }) => `the weight is ${decimal(weight)}`,
  tags: ({ tags }) => `the tags are ${tags?.join(", ") || "none"}`,
  filename: (now) => `the name is ${titled(now)}`,
};

/** Send a change. Where someone else was faster, show their state and keep what this person typed. */
async function save(json) {
  const one = image;
  if (!one.label) return; // it is not read yet, so another picture is shown
  const current = (read) => image?.id === one.id && (show(read), true);
  try {
    if (current(await patch(one, json))) saved.textContent = "Saved.";
  } catch (error) {
    if (error.status === 412 && current(await inspect(one.id))) {
      error.message = `It was changed elsewhere: ${CHANGED[Object.keys(json)[0]](image)} now. Save again to set yours.`;
    }
    if (!error.status || image?.id !== one.id) throw error;
    trouble.textContent = error.message;
  }
}

const tags = () => keepFocus(() => list($(".edit"), [...(image.tags ?? []), ""], (tag) => tag, (tag) => (tag ? tagChip(tag) : newTag())));

function tagChip(tag) {
  const without = () => save({ tags: image.tags.filter((one) => one !== tag) });
  const onclick = ({ currentTarget }) => attempt(currentTarget, without);
  return h("li.chip", {}, tag, h("button", { ariaLabel: `Remove the tag ${tag}`, onclick }, icon("x")));
}

function newTag() {
  const input = h("input", { ariaLabel: "A new tag", placeholder: "Add a tag", maxLength: 200, autocapitalize: "none" });
  const form = h("form.row", {}, input, h("button.round", { type: "submit", ariaLabel: "Add the tag" }, icon("plus")));
  const add = async () => {
    await save({ tags: [...(image.tags ?? []), ...tagsOf(input.value)] });
    if (!trouble.textContent) input.value = "";
  };
  form.onsubmit = (event) => {
    event.preventDefault();
    if (tagsOf(input.value).length) attempt(input, add);
  };
  return h("li", {}, form);
}

function mode(name) {
  for (const button of $$("[data-show]")) button.ariaPressed = `${button.dataset.show === name}`;
  if (name === "picture") $$(":scope > :not(:first-child)", wipe).forEach((element) => element.remove());
}

/** Lay the mosaic over the picture, with a divider to drag. A label with too few tiles takes those of all labels. */
async function mosaic() {
  const { id, label } = image;
  if (!label) return;
  const least = (await statusKnown()).mosaicTilesMin;
  const count = (labelled(label)?.count ?? 1) - 1; // without its own tile
  const all = state.labels.reduce((sum, one) => sum + one.count, -1);
  if (all < least) throw new Problem(`All labels together have ${all} other tiles; a mosaic needs ${least}.`);
  const target = `${path(image)}/mosaic?${query({ tiles: count < least ? "*" : "" })}`;
  const over = h("img.over", { alt: "The same picture as a mosaic", src: new URL(target, BASE) });
  await over.decode().catch(async () => {
    await ask("GET", target); // to learn why, or to wait for a busy service
    over.src = new URL(target, BASE);
    await over.decode();
  });
  if (image?.id !== id) return;
  mode("picture");
  if (count < least) $(".similar p").textContent = `The label ${label} has ${count} other tiles; a mosaic needs ${least}. These are of all labels.`;
  const divide = ({ currentTarget }) => set(wipe, { "--at": `${currentTarget.value}%` });
  const range = h("input", { type: "range", value: 50, ariaLabel: "How much of the picture is shown", oninput: divide });
  wipe.append(over, h("span.line"), text("span.tag.l", "Picture"), text("span.tag.r", "Mosaic"), range);
  set(wipe, { "--at": "50%" });
  mode("mosaic");
  range.focus();
}

async function similar() {
  const { id } = image;
  const said = $(".similar p");
  said.textContent = "Looking …";
  const { images } = await get(`${path(image)}/similar?${query({ k: LIKE })}`).catch((error) => {
    said.textContent = "";
    throw error;
  });
  if (image?.id !== id) return;
  said.textContent = images.length ? "" : "There is none yet.";
  list($(".similar ul"), images, (one) => one.id, (one) => h("li", {}, h("button", { ariaLabel: `${titled(one)}, ${one.label}`, onclick: () => look(one.id) }, picture(one, 256))));
  $(".similar ul button")?.focus();
}

/** Save the picture under its file name. The answer of the service names it otherwise, and its word goes before ours. */
async function download() {
  const one = image;
  const { formMax } = await statusKnown();
  if (one.bytes > formMax) return h("a", { href: address(one), target: "_blank" }).click(); // of S3
  const answer = await fetch(address(one)).catch(() => ({}));
  if (!answer.ok) throw new Problem("", answer.status ?? 0);
  const href = URL.createObjectURL(await answer.blob());
  h("a", { href, download: one.filename ?? one.id.split("/")[1] }).click();
  setTimeout(() => URL.revokeObjectURL(href), 60_000);
}

function erased() {
  const one = image;
  if (!one.label) return;
  leave();
  erase(one);
}

couple(form);
form.addEventListener("input", () => number.validity.valid && image.label && weigh(Number(number.value)));
form.onsubmit = (event) => {
  event.preventDefault();
  attempt(event.submitter, () => save({ weight: Number(number.value) }));
};
form.onreset = (event) => {
  event.preventDefault();
  slider.focus();
  weigh(image.weight);
};
$(".name", box).onsubmit = (event) => {
  event.preventDefault();
  attempt(event.submitter, () => save({ filename: $("#rename").value.trim() }));
};
$("[data-close]", box).onclick = leave;
box.oncancel = (event) => {
  event.preventDefault();
  const sheet = $("#signin:not([hidden]) [data-close]", box);
  if (sheet) sheet.click();
  else leave();
};
for (const button of $$("[data-step]", box)) button.onclick = () => step(Number(button.dataset.step));
for (const button of $$("[data-show]", box)) button.onclick = () => (button.dataset.show === "mosaic" ? attempt(button, mosaic) : mode("picture"));
$("#alike").onclick = ({ currentTarget }) => attempt(currentTarget, similar);
$("#load").onclick = (event) => {
  event.preventDefault();
  attempt(event.currentTarget, download);
};
$("#address").onclick = ({ currentTarget }) => copy(currentTarget, address(image));
$("#delete").onclick = erased;
document.onkeydown = (event) => {
  if (!box.open || event.repeat || held(event) || event.target.closest("input, #signin")) return;
  if (event.key === "ArrowLeft") step(-1);
  if (event.key === "ArrowRight") step(1);
  if (event.key === "Delete") erased();
};
let touched = null; // by one finger
$(".view").ontouchstart = ({ touches: [first, second] }) => (touched = second ? null : first);
$(".view").ontouchend = ({ changedTouches: [last], target }) => {
  if (!touched || target.matches("input") || visualViewport.scale > 1) return;
  const [x, y] = [last.clientX - touched.clientX, last.clientY - touched.clientY];
  if (Math.abs(x) > Math.max(SWIPE, 2 * Math.abs(y))) step(x < 0 ? 1 : -1);
};
listen(follow);
