// The tray: pictures on their way in, a row each. It goes on while the person does something else.

import { BASE, Problem, get, upload } from "./api.js";
import { $, $$, attempt, couple, decimal, h, icon, keepFocus, link, list, percent, report, set, size, tagsOf, text, toast } from "./dom.js";
import { keep, labelled, listen, look, patch, refresh, state, statusKnown } from "./state.js";

const AT_ONCE = 3;
const ICONS = { send: "up", ok: "ok", same: "same", no: "no" };

let rows = []; // { file, state, sent, error, image, as (what was sent) }, and label, tags, weight of its own, if any
let run = null; // the rows that are sent now; Stop ends it
let busy = 0; // seconds that the service asked for
let keys = 0;
let offered = ""; // the label that the form began with
const form = $("#forall");
const tray = $(".tray");
const { label, tags, weight } = form.elements;
const of = (name) => rows.filter((row) => row.state === name).length;

/** Add files to the tray and open it. `own` are values of each file alone, as the samples have them. */
function add(files, own = []) {
  if ($(".readonly")) return toast($("#locked p").textContent);
  if (state.picture) look("");
  if (of("ok") + of("same") === rows.length) rows = [];
  open();
  rows.push(...[...files].map((file, place) => ({ key: ++keys, file, state: "wait", ...own[place] })));
  render();
}

function open() {
  const taken = state.status?.labels;
  if (label.value === offered && !of("wait")) label.value = offered = !taken || taken.includes(state.label) ? state.label : taken[0];
  tray.hidden = false;
  render();
  if (!tray.contains(document.activeElement)) $("#tray-title").focus();
}

export function close() {
  tray.hidden = true;
  $("#add").focus();
  render();
}

async function start(me) {
  const next = () => rows.find((row) => me.has(row) && row.state === "wait" && !row.edited);
  const one = async () => {
    for (let row; run === me && (row = next()); ) await send(row, me);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
  if (run && run !== me) return;
  run = null;
  await refresh(rows.find(({ image }) => image)?.image.label).catch(report);
  render();
}

/** Return what the row is to be stored with: its own, or what stands for all. */
const values = (row) => ({ label: row.label ?? label.value.trim().toLowerCase(), tags: row.tags ?? tagsOf(tags.value), weight: row.weight ?? weight.value });

async function send(row, me) {
  const said = (sent, seconds = 0) => {
    busy = seconds;
    row.sent = sent ?? row.sent;
    render();
  };
  Object.assign(row, { state: "send", as: values(row) });
  said(0);
  try {
    const { formMax, fileMax } = await statusKnown();
    if (row.file.size > fileMax) throw new Problem(`It has ${size(row.file.size)}, but may have at most ${size(fileMax)}. Choose a smaller file.`);
    await row.file.slice(0, 1).arrayBuffer().catch(() => {
      throw new Problem("It cannot be read any more. Choose it again.");
    });
    const { image, created } = await upload({ file: row.file, ...row.as }, formMax, said);
    Object.assign(row, { state: created ? "ok" : "same", image });
    keep(image);
  } catch (error) {
    const { status, message, existing } = error;
    if (existing) {
      Object.assign(row, { state: "same", image: existing });
      keep(existing);
    } else if (status === 0 || status === 401) {
      row.state = "wait";
      if (run === me) run = null;
      report(error);
    } else Object.assign(row, { state: "no", error: message });
  }
  busy = 0;
  render();
}

/** Give the picture that is there the weight and tags of this row. */
async function overwrite(row) {
  const { weight: wanted, tags: named } = row.as;
  row.state = "send";
  await patch(row.image, { weight: Number(wanted), ...(named.length && { tags: named }) }).then((image) => Object.assign(row, { state: "ok", image }), ({ message }) => Object.assign(row, { state: "no", error: message }));
  await refresh().catch(report);
  render();
}

const totalOf = ({ image }) => labelled(image?.label)?.totalWeight;

function about(row) {
  const { image, error, sent } = row;
  const now = values(row);
  const change = link("Change", () => edit(row, now));
  if (row.state === "send") return [h("progress", { value: sent, ariaLabel: row.file.name }), text("span", sent < 1 ? `${Math.floor(sent * 100)}%` : "checking")];
  if (row.state === "wait") return [`Waiting, weight ${now.weight}${row.tags?.length ? `, ${row.tags.join(", ")}` : ""} `, change];
  if (row.state === "no") return [text("em.bad", "Refused: "), error, h("br"), link("Retry", () => again(row)), change, link("Remove", () => drop(row))];
  const total = totalOf(row);
  if (row.state === "ok") return [text("em.good", "Stored."), total && !run ? ` ${percent(image.weight / total)} of ${image.label}` : ""];
  const asked = Number(row.as.weight);
  const others = row.as.tags.length && `${[...row.as.tags].sort()}` !== `${image.tags ?? ""}`;
  const offer = asked !== image.weight ? `Set it to ${decimal(asked)}` : others ? "Set its tags" : "";
  return [`Already there, with weight ${decimal(image.weight)}. `, offer && link(offer, () => overwrite(row))];
}

function again(row) {
  row.state = "wait";
  begin([row]);
}

function drop(row) {
  rows = rows.filter((each) => each !== row);
  render();
  $("#tray-title").focus();
}

function edit(row, now) {
  row.edited = true;
  const own = h("input", { type: "number", min: weight.min, max: weight.max, step: "any", required: true, value: now.weight, ariaLabel: "Weight" });
  const named = h("input", { value: now.tags.join(", "), ariaLabel: "Tags", placeholder: tags.placeholder });
  const small = h("form.row", {}, own, named, text("button", "Set", { type: "submit" }));
  small.onsubmit = (event) => {
    event.preventDefault();
    Object.assign(row, { weight: own.value, tags: tagsOf(named.value), state: "wait", edited: false });
    small.closest("li").dataset.what = "";
    render();
  };
  $(`[data-key="${row.key}"] p`, tray).replaceChildren(small);
  own.focus();
}

function make({ file }) {
  const image = h("img", { alt: "", width: 56, height: 56, src: URL.createObjectURL(file) });
  image.onload = () => URL.revokeObjectURL(image.src);
  image.onerror = () => {
    image.onload();
    image.replaceWith(text("span.noimg", file.name.split(".").at(-1).slice(0, 4).toUpperCase()));
  };
  return h("li", {}, image, h("div", {}, text("b", file.name), text("small", size(file.size)), h("p")), h("span.mark"));
}

function update(element, row) {
  const what = JSON.stringify([row.state, row.sent, row.error, values(row), totalOf(row), run === null]);
  if (row.edited || element.dataset.what === what) return; // so that what the person has under the hands stays
  element.dataset.what = what;
  element.className = row.state;
  $("p", element).replaceChildren(...about(row));
  const mark = row.state === "wait" ? h("button.round", { ariaLabel: `Remove ${row.file.name}`, onclick: () => drop(row) }, icon("x")) : icon(ICONS[row.state]);
  $(".mark", element).replaceChildren(mark);
}

const render = () => keepFocus(show);

function show() {
  const [stored, there, refused, waiting] = ["ok", "same", "no", "wait"].map(of);
  const ended = stored + there + refused;
  if (!tray.hidden) list($(".files"), rows, ({ key }) => key, make, update);
  $(".sum").hidden = !rows.length;
  const words = `${stored} of ${rows.length} stored.${there ? ` ${there} already there.` : ""}${refused ? ` ${refused} refused.` : ""}`;
  $(".sum p").textContent = busy ? `The service is busy. Continuing in ${busy} s.` : words;
  $(".sum progress").value = rows.reduce((sum, row) => sum + (row.state === "send" ? row.sent * 0.9 : 0), ended) / (rows.length || 1);
  set($("#go"), { textContent: run ? "Stop" : waiting ? `Add ${waiting}` : "Done", className: waiting && !run ? "main" : "" });
  $("#add span").textContent = run && tray.hidden ? `${ended} of ${rows.length}` : "Add pictures";
  const taken = state.status?.labels;
  list($("#known"), taken ?? state.labels.map((one) => one.label), (name) => name, (value) => h("option", { value }));
  set($(".taken"), { hidden: !taken, textContent: `This service takes the labels ${taken?.join(", ")}.` });
}

/** Send these rows. Others wait for the person. */
function begin(some = rows) {
  if (run) some.forEach((row) => run.add(row));
  else start((run = new Set(some)));
  render();
}

const read = (method) => new Promise((resolve, reject) => method(resolve, reject));

const looksLikePicture = ({ type }) => type.startsWith("image/");

/** Return a dropped file, or the pictures of a dropped folder. */
async function walk(entry) {
  if (entry.isFile) return [await read((...both) => entry.file(...both))];
  const [reader, found] = [entry.createReader(), []];
  for (let some; (some = await read((...both) => reader.readEntries(...both))).length; ) found.push(...some);
  return (await Promise.all(found.map(walk))).flat().filter(looksLikePicture);
}

async function dropped({ items, files }) {
  const entries = [...items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  const found = entries.length ? (await Promise.all(entries.map(walk))).flat() : [...files];
  if (found.length) add(found);
}

/** Store the sample photographs. A service of few labels gets them all under the first, with the kind as tag. */
async function samples() {
  const taken = (await statusKnown()).labels;
  const { samples: all } = await get("web/samples/samples.json");
  const own = all.map((one) => (!taken || taken.includes(one.label) ? one : { ...one, label: taken[0], tags: [one.label, ...one.tags].slice(0, 5) }));
  const files = [];
  for (const { name } of all) {
    const answer = await fetch(new URL(`web/samples/${name}`, BASE)).catch(() => null);
    if (!answer?.ok) throw new Problem(`The sample ${name} cannot be read. Try again in a moment.`);
    files.push(new File([await answer.blob()], name, { type: "image/jpeg" }));
  }
  add(files, own.map(({ label, tags, weight }) => ({ label, tags, weight })));
  begin(rows.slice(-files.length));
}

couple(form);
form.oninput = render;
form.onsubmit = (event) => {
  event.preventDefault();
  for (const own of $$(".files form")) own.requestSubmit(); // what is typed there counts
  begin();
};
$("#go").onclick = (event) => {
  if (!run && of("wait")) return; // the form says what is missing, or begins
  event.preventDefault();
  if (!run) return close();
  run = null;
  render();
};
$("[data-close]", tray).onclick = close;
$("#add").onclick = open;
for (const button of $$("[data-choose]")) button.onclick = () => $(`#${button.dataset.choose}`).click();
for (const input of [$("#files"), $("#folder")]) {
  input.onchange = () => {
    add([...input.files].filter((file) => input.id === "files" || looksLikePicture(file)));
    input.value = "";
  };
}
$("#samples").onclick = ({ currentTarget }) => attempt(currentTarget, samples);
const hasFiles = ({ dataTransfer }) => dataTransfer.types.includes("Files");
addEventListener("dragover", (event) => hasFiles(event) && event.preventDefault());
addEventListener("drop", (event) => {
  if (!hasFiles(event)) return;
  event.preventDefault();
  if (!event.target.closest?.(".find")) dropped(event.dataTransfer).catch(report);
});
addEventListener("beforeunload", (event) => run && event.preventDefault());
addEventListener("paste", ({ clipboardData: { files } }) => files.length && add(files));
listen(render);
