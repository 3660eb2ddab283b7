// The gallery: pictures in rows that keep their shape, or a table; sorted, selected, changed together.

import { Problem, pages } from "./api.js";
import { $, $$, attempt, decimal, h, icon, list, number, percent, picture, pictures, ratio, report, set, tagsOf, titled } from "./dom.js";
import { READ_MAX, change, listen, patch, record, refresh, remove, state } from "./state.js";

const AT_ONCE = 48;
const SORTS = {
  new: (a, b) => (a.created < b.created ? 1 : -1),
  heavy: (a, b) => b.probability - a.probability,
  name: (a, b) => titled(a).localeCompare(titled(b), undefined, { numeric: true }),
};

let shown = AT_ONCE;
let others = null; // the images of all labels, if they are shown
let found = null; // what a search found: { images, words }
let view = "rows";
let picked = null; // ids of the selected, while some are selected

/** Return the images that the gallery lists, in order: the light box walks through them. */
export function listed() {
  const { rows, labels, tag } = state;
  const totals = new Map(labels.map(({ label, totalWeight }) => [label, totalWeight]));
  const current = tag ? new Map() : new Map(rows.map((image) => [image.id, image]));
  const probable = (image) => ({ ...image, probability: image.weight / totals.get(image.label), ...current.get(image.id) });
  const there = ({ id }) => !state.gone.has(id);
  if (found) return found.images.filter(there).map(probable);
  const all = others ? others.map(probable).filter(({ tags }) => !tag || tags?.includes(tag)) : [...rows];
  return all.filter(there).sort((a, b) => SORTS[$("#sort").value](a, b) || (a.id < b.id ? -1 : 1));
}

/** Show what a search found instead, or all again. */
export function showFound(images, words) {
  found = images && { images, words };
  shown = AT_ONCE;
  change();
}

function open(image) {
  change({ picture: image.id });
  record();
}

function render() {
  if ($("#gallery").hidden) return;
  const all = listed();
  const some = all.slice(0, shown);
  const greatest = new Map();
  for (const { label, probability } of all) greatest.set(label, Math.max(greatest.get(label) ?? 0, probability));
  const table = view === "table";
  $(".rows").hidden = table;
  $(".wide").hidden = !table;
  $(".rows").classList.toggle("hits", Boolean(found));
  if (table) list($(".list tbody"), some, ({ id }) => id, line, updateLine);
  else list($(".rows"), some, ({ id }) => id, tile, (element, image) => updateTile(element, image, greatest.get(image.label)));
  const total = !others && state.all ? all.length : Math.max(all.length, ...(others ? [0] : [state.labels.find(({ label }) => label === state.label)?.count ?? 0]));
  $("#gallery-title small").textContent = found ? "" : pictures(state.tag ? all.length : total);
  $(".found").replaceChildren(...(found?.words ?? []));
  $("#more").hidden = some.length >= all.length;
  const cut = !found && (others ? others.length >= READ_MAX : !state.all) ? ` The first ${number(READ_MAX)} were read.` : "";
  $(".end span").textContent = (some.length < all.length ? `${number(some.length)} of ${number(all.length)} are shown.` : `All ${number(all.length)} are shown.`) + cut;
  $("#select").ariaPressed = `${picked !== null}`;
  $(".selected").hidden = !picked;
  $(".selected b").textContent = picked ? `${picked.size} selected` : "";
  for (const button of $$(".selected button:not([value=done])")) button.disabled = !picked?.size;
  $("#scope").firstChild.textContent = state.label || "This label";
}

function tile(image) {
  const button = h("button.tile", {}, picture(image, 512, { loading: "lazy" }), h("span.under", {}, h("b"), h("span")), h("i"));
  return set(h("li", {}, button, h("p.why", { hidden: true })), { "--r": ratio(image) });
}

function updateTile(element, image, greatest) {
  const [button, why] = element.children;
  const { id, label, probability } = image;
  $("b", button).textContent = percent(probability);
  $("span span", button).textContent = titled(image);
  set($("i", button), { "--p": probability / greatest });
  const on = picked?.has(id);
  set(button, {
    ariaLabel: `${titled(image)}, ${label}, ${percent(probability)}`,
    ariaPressed: picked ? `${on}` : null,
    onclick: () => (picked ? (on ? picked.delete(id) : picked.add(id), change()) : open(image)),
  });
  element.className = on ? "picked" : "";
  if (picked && !$(".tick", button)) button.append(h("span.tick", {}, icon("ok")));
  if (!picked) $(".tick", button)?.remove();
  set(why, { hidden: !found, textContent: image.why ?? "", className: image.word ? "why word" : "why" });
}

function line(image) {
  const name = h("th", { scope: "row" }, h("button.link"), h("small"));
  const bar = h("td.pr", {}, h("div", {}, h("div.track", {}, h("i.new")), h("span")));
  return h("tr", {}, h("td", {}, picture(image, 256, { width: 60, height: 44, loading: "lazy" })), name, h("td"), h("td"), h("td.n"), bar, h("td.n", {}, h("button.round", {}, icon("bin"))));
}

function updateLine(element, image) {
  const [, name, label, guess, weight, bar, last] = element.cells;
  const best = image.labels?.[0];
  set(name.firstChild, { textContent: titled(image), onclick: () => open(image) });
  name.lastChild.textContent = image.tags?.join(", ") ?? "";
  label.textContent = image.label;
  guess.replaceChildren(...(best ? [`${best.name} `, h("small", { textContent: `${Math.round(best.confidence)}%` })] : [h("small", { textContent: "not yet" })]));
  weight.textContent = decimal(image.weight);
  set($(".new", bar), { "--p": image.probability });
  $("span", bar).textContent = percent(image.probability);
  set(last.firstChild, { ariaLabel: `Delete ${titled(image)}`, onclick: () => away(element, [image]) });
}

/** Delete, and give the focus to the neighbour. */
function away(element, images) {
  const next = element?.nextElementSibling ?? element?.previousElementSibling;
  remove(images);
  (next ? $(".round", next) : $("#select")).focus();
}

async function together({ value }, form) {
  const images = listed().filter(({ id }) => picked.has(id));
  if (value === "done") return end();
  if (value === "delete") return remove(images), end();
  const weight = Number(form.elements.weight.value);
  if (value === "weight" && !(weight > 0 && weight < 1)) throw new Problem("A weight is above 0 and below 1.");
  const json = value === "weight" ? { weight } : { tags: tagsOf(form.elements.tags.value) };
  for (const image of images) {
    const changed = await patch(image, json);
    others = others?.map((one) => (one.id === image.id ? changed : one)) ?? null;
    picked.delete(image.id); // if one fails, the others stay selected
    change();
  }
  end();
  await refresh();
}

function end() {
  picked = null;
  $("#select").focus();
  change();
}

async function readAll() {
  others = $("#scope").value === "all" ? (await pages("images", {}, "images", READ_MAX)).found : null;
  showFound(null);
}

listen(render);
$("#sort").onchange = () => change();
$("#scope").onchange = () => readAll().catch(report);
$("#more").onclick = () => {
  const first = shown;
  shown += AT_ONCE;
  render();
  $$(view === "table" ? ".list tbody .link" : ".rows .tile")[first]?.focus();
};
$("#select").onclick = () => {
  picked = picked ? null : new Set();
  view = "rows";
  see();
};
for (const button of $$("[data-view]")) {
  button.onclick = () => {
    view = button.dataset.view;
    picked = null;
    see();
  };
}
function see() {
  for (const button of $$("[data-view]")) button.ariaPressed = `${button.dataset.view === view}`;
  change();
}
$(".selected").onsubmit = (event) => {
  event.preventDefault();
  attempt(event.submitter, () => together(event.submitter, event.target));
};
addEventListener("gallery", ({ detail }) => {
  $("#sort").value = "heavy";
  showFound(null);
  shown = Math.max(shown, state.rows.findIndex(({ id }) => id === detail) + AT_ONCE);
  render();
  const target = $(`#gallery [data-key="${detail}"] button`);
  target?.scrollIntoView({ block: "center" });
  target?.focus();
});
