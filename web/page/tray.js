// The tray: pictures on their way in, a row each. It goes on while the person does something else.

import { get, upload } from "./api.js";
import { $, $$, couple, decimal, h, icon, list, percent, report, set, size, tagsOf } from "./dom.js";
import { listen, patch, refresh, state } from "./state.js";

const AT_ONCE = 3;
const ICONS = { wait: "x", send: "up", ok: "ok", same: "same", no: "no" };

let rows = []; // { key, file, state, text, sent, label, tags, weight, own }
let running = false;
let busy = 0; // seconds that the service asked for
let keys = 0;
const form = $("#forall");
const tray = $(".tray");

/** Add files to the tray and open it. `own` are values of one file alone, as the samples have them. */
export function add(files, own = []) {
  const more = [...files].map((file, place) => ({ key: ++keys, file, state: "wait", ...own[place], own: Boolean(own[place]) }));
  if (rows.every((row) => row.state === "ok" || row.state === "same")) rows = [];
  rows.push(...more);
  show();
}

export function show() {
  if (!form.elements.label.value) form.elements.label.value = state.label || (state.status?.labels?.[0] ?? "");
  tray.hidden = false;
  render();
  if (!tray.contains(document.activeElement)) $("#tray-title").focus();
}

function close() {
  tray.hidden = true;
  $("#add").focus();
  render();
}

// -- sending

async function start() {
  running = true;
  const { label, tags, weight } = form.elements;
  for (const row of rows.filter((row) => row.state === "wait" && !row.own)) {
    Object.assign(row, { label: label.value.trim().toLowerCase(), tags: row.tags ?? tagsOf(tags.value), weight: row.weight ?? weight.value });
  }
  const one = async () => {
    for (let row; running && (row = rows.find((each) => each.state === "wait" && each.label)); ) await send(row);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
  running = false;
  render();
  await refresh().catch(report);
}

async function send(row) {
  Object.assign(row, { state: "send", sent: 0, error: null });
  render();
  try {
    if (row.file.size > state.status.fileMax) {
      throw new Error(`It has ${size(row.file.size)}, but may have at most ${size(state.status.fileMax)}. Choose a smaller file.`);
    }
    const { image, created } = await upload(row, state.status, (sent, seconds = 0) => {
      busy = seconds;
      if (sent !== null) row.sent = sent;
      render();
    });
    Object.assign(row, { state: created ? "ok" : "same", image });
  } catch (error) {
    if (error.existing) Object.assign(row, { state: "same", image: error.existing });
    else if (error.status === 0 || error.status === 401) {
      Object.assign(row, { state: "wait" });
      running = false;
    } else Object.assign(row, { state: "no", error: error.message });
  }
  busy = 0;
  render();
}

/** Give the picture that is there the weight and tags of this row. */
async function overwrite(row) {
  try {
    row.image = await patch(row.image, { weight: Number(row.weight), ...(row.tags.length && { tags: row.tags }) });
    row.state = "ok";
  } catch (error) {
    Object.assign(row, { state: "no", error: error.message });
  }
  render();
  await refresh().catch(report);
}

// -- what the person sees

const link = (textContent, onclick) => h("button.link", { textContent, onclick });

/** Return the words and buttons of a row. */
function about(row) {
  const { state: now, image, weight, error } = row;
  if (now === "send") return [h("progress", { max: 1, value: row.sent, ariaLabel: row.file.name }), h("span", { textContent: row.sent < 1 ? `${Math.floor(row.sent * 100)}%` : "checking" })];
  if (now === "ok") return [h("em.good", { textContent: "Stored." }), image.probability ? ` ${percent(image.probability)} of ${image.label}` : ""];
  if (now === "same") {
    const other = Number(weight) !== image.weight;
    return [`Already there, with weight ${decimal(image.weight)}. `, other ? link(`Set it to ${decimal(Number(weight))}`, () => overwrite(row)) : ""];
  }
  if (now === "no") {
    return [h("em.bad", { textContent: "Refused: " }), error, h("br"),
      link("Retry", () => (Object.assign(row, { state: "wait" }), begin())), link("Change", () => edit(row)), link("Remove", () => drop(row))];
  }
  return [`Waiting, weight ${row.weight ?? form.elements.weight.value}${row.tags ? `, ${row.tags.join(", ")}` : ""} `, link("Change", () => edit(row))];
}

function drop(row) {
  rows = rows.filter((each) => each !== row);
  render();
  $("#tray-title").focus();
}

/** Let the person give this row a weight and tags of its own. */
function edit(row) {
  const weight = h("input", { type: "number", min: "0.000000001", max: "0.999999999", step: "any", required: true, value: row.weight ?? form.elements.weight.value, ariaLabel: "Weight" });
  const tags = h("input", { value: row.tags?.join(", ") ?? form.elements.tags.value, ariaLabel: "Tags", placeholder: "sunny, harbour" });
  const small = h("form.row", {}, weight, tags, h("button", { type: "submit", textContent: "Set" }));
  small.onsubmit = (event) => {
    event.preventDefault();
    Object.assign(row, { weight: weight.value, tags: tagsOf(tags.value), editing: false, state: "wait" });
    render();
  };
  row.editing = true;
  $(`[data-key="${row.key}"] p`, tray).replaceChildren(small);
  weight.focus();
}

function make(row) {
  const type = row.file.name.split(".").at(-1).slice(0, 4).toUpperCase();
  const image = h("img", { alt: "", width: 56, height: 56, src: URL.createObjectURL(row.file) });
  image.onload = () => URL.revokeObjectURL(image.src);
  image.onerror = () => image.replaceWith(h("span.noimg", { textContent: type }));
  const name = h("div", {}, h("b", { textContent: row.file.name }), h("small", { textContent: size(row.file.size) }), h("p"));
  return h("li", {}, image, name, h("span.mark"));
}

function update(element, row) {
  const what = `${row.state} ${row.sent} ${row.error} ${row.weight} ${form.elements.weight.value} ${row.image?.weight}`;
  if (row.editing || element.dataset.what === what) return;
  element.dataset.what = what;
  const bar = $("progress", element);
  if (row.state === "send" && bar) {
    bar.value = row.sent;
    bar.nextSibling.textContent = row.sent < 1 ? `${Math.floor(row.sent * 100)}%` : "checking";
    return;
  }
  element.className = row.state;
  $("p", element).replaceChildren(...about(row));
  const mark = row.state === "wait"
    ? h("button.round", { ariaLabel: `Remove ${row.file.name}`, onclick: () => drop(row) }, icon("x"))
    : icon(ICONS[row.state]);
  $(".mark", element).replaceChildren(mark);
}

function render() {
  const of = (name) => rows.filter(({ state: now }) => now === name).length;
  const [stored, there, refused, waiting] = ["ok", "same", "no", "wait"].map(of);
  const ended = stored + there + refused;
  if (!tray.hidden) list($(".files"), rows, ({ key }) => key, make, update);
  $(".sum").hidden = !rows.length;
  const words = busy ? `The service is busy. Continuing in ${busy} s.`
    : `${stored} of ${rows.length} stored.${there ? ` ${there} already there.` : ""}${refused ? ` ${refused} refused.` : ""}`;
  if ($(".sum p").textContent !== words) $(".sum p").textContent = words;
  $(".sum progress").value = rows.length ? (ended + rows.reduce((sum, row) => sum + (row.state === "send" ? row.sent * 0.9 : 0), 0)) / rows.length : 0;
  $("#go").textContent = running ? "Stop" : waiting ? `Add ${waiting === 1 ? "it" : waiting}` : "Done";
  $("#go").className = waiting && !running ? "main" : "";
  $("#add span").textContent = running && tray.hidden ? `${ended} of ${rows.length}` : "Add pictures";
}

function begin() {
  render();
  if (!running) start();
}

function labels() {
  const { labels: known, status } = state;
  const names = status?.labels ?? known.map(({ label }) => label);
  list($("#known"), names, (name) => name, (name) => h("option", { value: name }));
  set($(".taken"), { hidden: !status?.labels, textContent: `This service takes the labels ${status?.labels?.join(", ")}.` });
}

// -- how files come in

/** Return the files of a drop, also those in folders. */
async function dropped(transfer) {
  const walk = async (entry) => {
    if (entry.isFile) return [await new Promise((resolve, reject) => entry.file(resolve, reject))];
    const [reader, found] = [entry.createReader(), []];
    for (let some; (some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject))).length; ) found.push(...some);
    return (await Promise.all(found.map(walk))).flat();
  };
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  return entries.length ? (await Promise.all(entries.map(walk))).flat() : [...transfer.files];
}

const looksLikePicture = ({ type, name }) => type.startsWith("image/") || /\.(jpe?g|png|webp)$/i.test(name);

/** Put the sample photographs into the tray and store them. A service of few labels gets them all under the first. */
async function samples() {
  const { samples: all } = await get("web/samples/samples.json");
  const taken = state.status.labels;
  const own = all.map(({ label, tags, weight }) =>
    !taken || taken.includes(label) ? { label, tags, weight } : { label: taken[0], tags: [label, ...tags].slice(0, 5), weight });
  const files = [];
  for (const { name } of all) {
    const answer = await fetch(new URL(`web/samples/${name}`, location.href.split("#")[0]));
    if (!answer.ok) throw new Error(`The sample ${name} cannot be read. Try again in a moment.`);
    files.push(new File([await answer.blob()], name, { type: "image/jpeg" }));
  }
  add(files, own);
  begin();
}

couple(form);
form.oninput = render;
form.onsubmit = (event) => {
  event.preventDefault();
  if (running) running = false;
  else if (rows.some((row) => row.state === "wait")) return begin();
  else close();
  render();
};
$("#go").onclick = (event) => {
  if (running || rows.some((row) => row.state === "wait")) return; // the form says what is missing
  event.preventDefault();
  close();
};
$("[data-close]", tray).onclick = close;
$("#add").onclick = show;
for (const button of $$("[data-choose]")) button.onclick = () => $(`#${button.dataset.choose}`).click();
for (const input of [$("#files"), $("#folder")]) {
  input.onchange = () => {
    add([...input.files].filter((file) => input.id === "files" || looksLikePicture(file)));
    input.value = "";
  };
}
$("#samples").onclick = ({ currentTarget }) => {
  currentTarget.disabled = true;
  samples().catch(report).finally(() => (currentTarget.disabled = false));
};
addEventListener("dragover", (event) => event.preventDefault());
addEventListener("drop", async (event) => {
  event.preventDefault();
  if (event.target.closest?.(".find")) return;
  const files = await dropped(event.dataTransfer).catch(report);
  if (files?.length) add(files);
});
addEventListener("paste", ({ clipboardData }) => clipboardData.files.length && add(clipboardData.files));
listen(labels);
export { close };
