// The gallery: pictures in rows that keep their shape, or a table; sorted, selected, changed together.

import { Problem, pages } from "./api.js";
import { $, $$, attempt, counted, decimal, h, icon, link, list, percent, picture, report, set, tagsOf, text, titled } from "./dom.js";
import { READ_MAX, change, labelled, listen, loadLabels, look, patch, refresh, remove, state } from "./state.js";

const AT_ONCE = 48;
const SORTS = {
  new: (a, b) => (a.created < b.created ? 1 : a.created > b.created ? -1 : 0),
  heavy: (a, b) => b.probability - a.probability,
  name: (a, b) => titled(a).localeCompare(titled(b), undefined, { numeric: true }),
};
const form = $(".selected");

let shown = AT_ONCE;
let others = null; // the images of all labels, if they are listed
let found = null; // what a search found: { images, words }
let table = false;
let picked = null; // ids of the selected, while some are selected

/** Return the images that the gallery lists, in order: the light box walks through them. */
export function listed() {
  const { rows, tag, gone, fresh } = state;
  const current = new Map((tag ? [] : rows).map((image) => [image.id, image]));
  const there = ({ id }) => !gone.has(id);
  const probable = (image) => {
    const known = { ...image, ...fresh.get(image.id) };
    return { ...known, probability: known.weight / labelled(image.label)?.totalWeight, ...current.get(image.id) };
  };
  if (found) return found.images.filter(there).map(probable);
  const all = others ? others.filter(({ tags }) => !tag || tags?.includes(tag)).map(probable) : [...rows];
  const sort = SORTS[$("#sort").value];
  return all.filter(there).sort((a, b) => sort(a, b) || (a.id < b.id ? -1 : 1));
}

/** Return all images that were read of what the gallery lists. */
export const read = () => others ?? state.images;

/** Show what a search found instead, or all again. */
export function showFound(images, words = []) {
  if (!images) $(".find input").value = "";
  else if (images.some(({ label }) => !labelled(label))) loadLabels().catch(report); // of a label that is new
  found = images && { images, words };
  shown = AT_ONCE;
  change();
}

function render() {
  const all = listed();
  const some = all.slice(0, shown);
  if (picked) picked = new Set(all.map(({ id }) => id).filter((id) => picked.has(id)));
  const greatest = new Map();
  for (const { label, probability } of all) greatest.set(label, Math.max(greatest.get(label) ?? 0, probability));
  $(".rows").hidden = table;
  $(".wide").hidden = !table;
  for (const button of $$("[data-view]")) button.ariaPressed = `${(button.dataset.view === "table") === table}`;
  if (table) list($(".list tbody"), some, ({ id }) => id, line, updateLine);
  else list($(".rows"), some, ({ id }) => id, tile, (element, image) => updateTile(element, image, greatest.get(image.label)));
  const most = others || state.all ? 0 : (labelled()?.count ?? 0);
  $("#gallery-title small").textContent = found ? "" : counted(state.tag ? all.length : Math.max(all.length, most));
  if ($(".found").firstChild !== (found?.words[0] ?? null)) $(".found").replaceChildren(...(found?.words ?? []));
  $("#more").hidden = some.length === all.length;
  const cut = !found && (others ? others.length >= READ_MAX : !state.all) ? ` The first ${read().length.toLocaleString("en")} were read.` : "";
  $(".end span").textContent = (some.length < all.length ? `${some.length} of ${all.length} are shown.` : all.length > 1 ? `All ${all.length} are shown.` : "") + cut;
  $("#select").ariaPressed = `${picked !== null}`;
  $("#sort").disabled = $("#scope").disabled = found !== null;
  form.hidden = !picked;
  $("b", form).textContent = `${picked?.size} selected`;
  for (const button of $$("button:not([value=done])", form)) button.disabled = !picked?.size;
  $("#scope").firstElementChild.textContent = state.label || "This label";
}

const tile = (image) =>
  h("li", { "--r": Math.max(0.4, Math.min(4, image.width / image.height)) }, h("button.tile", {}, picture(image, 512, { loading: "lazy" }), h("span.under", {}, h("b"), h("span")), h("i")), h("p"));

function updateTile(element, image, greatest) {
  const [button, why] = element.children;
  const { id, label, probability } = image;
  const on = picked?.has(id);
  const toggle = () => change(void (on ? picked.delete(id) : picked.add(id)));
  $("b", button).textContent = percent(probability);
  $("span span", button).textContent = titled(image);
  set($("i", button), { "--p": probability / greatest });
  set(button, { ariaLabel: `${percent(probability)} ${titled(image)}, ${label}`, ariaPressed: picked && `${on}`, onclick: () => (picked ? toggle() : look(id)) });
  element.className = on ? "picked" : "";
  $(".tick", button)?.remove();
  if (picked) button.append(h("span.tick", {}, icon("ok")));
  set(why, { hidden: !found, textContent: image.why ?? "", className: image.word ? "why word" : "why" });
}

const line = (image) =>
  h("tr", {}, h("td", {}, picture(image, 256, { width: 60, height: 44, loading: "lazy" })), h("th", { scope: "row" }, link("", () => look(image.id)), h("small")),
    text("td", image.label), h("td"), h("td.n"), h("td.pr", {}, h("div", {}, h("div.track", {}, h("i.new")), h("span"))), h("td.n", {}, h("button.round", {}, icon("bin"))));

function updateLine(element, image) {
  const [, name, , guess, weight, bar, last] = element.cells;
  const best = image.labels?.[0];
  name.firstChild.textContent = titled(image);
  name.lastChild.textContent = image.tags?.join(", ") ?? "";
  guess.replaceChildren(best ? `${best.name} ` : "", text("small", best ? `${Math.round(best.confidence)}%` : "not yet"));
  weight.textContent = decimal(image.weight);
  set($(".new", bar), { "--p": image.probability });
  $("span", bar).textContent = percent(image.probability);
  set(last.firstChild, { ariaLabel: `Delete ${titled(image)}`, onclick: () => erase(image) });
}

/** Delete an image, and give the focus to its neighbour. */
export async function erase(image) {
  const all = listed();
  const at = all.findIndex(({ id }) => id === image.id);
  const next = all[at + 1] ?? all[at - 1];
  if (await remove([image])) ($(`${table ? ".list" : ".rows"} [data-key="${next?.id}"] :is(.tile, .round)`) ?? $("#one")).focus();
}

async function together(act) {
  const images = listed().filter(({ id }) => picked.has(id));
  const weight = Number(form.elements.weight.value);
  const named = tagsOf(form.elements.tags.value);
  if (act === "weight" && !(weight > 0 && weight < 1)) throw new Problem("A weight is above 0 and below 1.");
  if (act === "tags" && !named.length) throw new Problem("Type the tags that these pictures get in place of their own.");
  if (act === "delete" && !(await remove(images))) return;
  if (act === "weight" || act === "tags") {
    for (const image of images) {
      if (!picked) break; // Done was pressed
      await patch(image, act === "weight" ? { weight } : { tags: named });
      picked?.delete(image.id); // if one fails, the others stay selected
      change();
    }
    await refresh();
  }
  picked = null;
  $("#select").focus();
  change();
}

listen(render);
$("#sort").onchange = () => change();
/** Read the pictures of all labels, if they are to be listed. */
async function readAll() {
  const scope = $("#scope");
  const got = scope.value === "all" ? await pages("images", {}, READ_MAX).catch(report) : null;
  if (!got) scope.value = "one";
  others = scope.value === "all" ? got.found : null;
  change();
}
$("#scope").onchange = () => {
  showFound(null);
  loadLabels().catch(report); // others may have added to them
  readAll();
};
addEventListener("more", () => others && readAll());
$("#more").onclick = () => {
  shown += AT_ONCE;
  render();
  $$(table ? ".list .link" : ".tile")[shown - AT_ONCE].focus();
};
$("#select").onclick = () => {
  picked = picked ? null : new Set();
  table = false;
  change();
};
for (const button of $$("[data-view]")) {
  button.onclick = () => {
    table = button.dataset.view === "table";
    picked = null;
    change();
  };
}
form.elements.tags.onkeydown = (event) => {
  if (event.key !== "Enter") return;
  event.preventDefault(); // the first button of a form is the one of Enter
  form.requestSubmit($("[value=tags]", form));
};
form.onsubmit = (event) => {
  event.preventDefault();
  attempt(event.submitter, () => together(event.submitter.value));
};
addEventListener("gallery", ({ detail }) => {
  $("#sort").value = "heavy";
  $("#scope").value = "one";
  others = null;
  showFound(null);
  shown = Math.max(shown, state.rows.findIndex(({ id }) => id === detail) + AT_ONCE);
  render();
  const target = $(`#gallery [data-key="${detail}"] button`);
  target?.scrollIntoView({ block: "center" });
  target?.focus();
});
