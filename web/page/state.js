// The one state of the page: the address (label, tag, picture), what was read, what was drawn, and changes to images.

import { ask, get, pages, path, query } from "./api.js";
import { law } from "./law.js";
import { picture, report, titled, toast } from "./dom.js";

export const READ_MAX = 1000; // images of a label, and labels
const UNDO = 8; // seconds
const LABEL = /^[a-z][a-z0-9-]{0,31}$/;

export const state = {
  status: null, // the answer of GET /status
  labels: [], // { label, count, totalWeight }, the largest first
  label: "",
  tag: "",
  picture: "", // the id of the image in the light box
  images: [], // of the label, as far as they were read
  all: true, // whether these are all images of the label
  rows: [], // those with the tag, with probability, count and expected count; the likeliest first
  rest: 0, // the probability of those that were not read
  drawn: 0,
  last: null, // the image drawn last, with the element that shows it
  gone: new Set(), // ids of deleted images, also while Undo is possible
};

const listeners = [];
let due;
export const listen = (listener) => listeners.push(listener);

/** Change the state. The page is drawn again once, after everything that changes now. */
export function change(values = {}) {
  Object.assign(state, values);
  due ??= Promise.resolve().then(() => {
    due = null;
    compute();
    for (const listener of listeners) listener(state);
  });
}

// -- draws: each counts with the law that was in force when it was drawn

let counts = new Map(); // id -> times drawn
let before = new Map(); // id -> times expected, of laws that were in force before
let since = 0; // draws since the last change of the law
let inForce = []; // [images, tag, total]

function compute() {
  const { images, all, tag, label } = state;
  const total = all ? undefined : tag ? state.last?.totalWeight : state.labels.find((one) => one.label === label)?.totalWeight;
  if (inForce[0] !== images || inForce[1] !== tag || inForce[2] !== total) {
    for (const { id, probability } of state.rows) before.set(id, (before.get(id) ?? 0) + probability * since);
    since = 0;
    inForce = [images, tag, total];
    state.rows = law(tag ? images.filter(({ tags }) => tags?.includes(tag)) : images, total);
    state.rest = all ? 0 : Math.max(0, 1 - state.rows.reduce((sum, { probability }) => sum + probability, 0));
  }
  for (const row of state.rows) {
    row.count = counts.get(row.id) ?? 0;
    row.expected = (before.get(row.id) ?? 0) + row.probability * since;
  }
}

/** Count a draw, and show it. */
export function count(image, element) {
  counts.set(image.id, (counts.get(image.id) ?? 0) + 1);
  since++;
  change({ drawn: state.drawn + 1, last: { ...image, element: element ?? state.last?.element } });
}

export function forget() {
  [counts, before, since] = [new Map(), new Map(), 0];
  change({ drawn: 0 });
}

/** Draw one image, or `many` of them. */
export async function draw({ label, tag }, many) {
  const answer = await get(`random.json?${query({ label, tag, count: many })}`);
  return many ? answer.images.map((image) => ({ ...image, totalWeight: answer.totalWeight })) : answer;
}

/** Return the element that shows an image, as soon as it can be shown without a wait. */
export async function shown(image) {
  const element = picture(image, 1024, { className: "front", alt: `${titled(image)}, ${image.label}` });
  await element.decode().catch(() => new Promise((resolve) => element.addEventListener("load", resolve, { once: true })));
  return element;
}

// -- the address

const decoded = (text) => {
  try {
    return decodeURIComponent(text).trim().toLowerCase();
  } catch {
    return ""; // such as #%
  }
};

/** Return label, tag and picture of the address. What cannot be one is left out. */
export function wanted() {
  const [label, ...more] = location.hash.slice(1).split("&");
  const of = (name) => decoded(more.find((each) => each.startsWith(`${name}=`))?.slice(name.length + 1) ?? "");
  const valid = (text) => (LABEL.test(text) ? text : "");
  return { label: valid(decoded(label)), tag: valid(of("tag")), picture: /^[a-z0-9-]+\/[0-9a-f]{32}\.\w+$/.exec(of("picture"))?.[0] ?? "" };
}

/** Write the state into the address, as an entry of its own or in place of the present one. */
export function record(how = "push") {
  const { label, tag, picture: id } = state;
  const address = `#${label}${tag && `&tag=${tag}`}${id && `&picture=${id}`}`;
  if (how !== "none" && address !== location.hash) history[`${how}State`](null, "", address);
  const one = state.images.find((image) => image.id === id);
  document.title = `${one ? titled(one) : label}${label && " · "}petAPI`;
}

let turns = 0; // what answers an older wish comes too late

/** Show a label or a tag: its pictures, and a draw from it. Nothing changes before both are there. */
export async function open({ label, tag = "", picture: id = "" }, how) {
  const turn = ++turns;
  if (!label) return change({ label, tag: "", images: [], last: null });
  const same = label === state.label && state.images.length;
  const read = same ? state.images : get(`images?${query({ label, limit: 100 })}`);
  const first = async () => {
    const known = same || state.labels.some((one) => one.label === label);
    if (!known && !(await read).images.length) return null;
    const image = await draw({ label, tag }).catch((error) => (error.status === 404 ? null : Promise.reject(error)));
    return image && { ...image, element: await shown(image) };
  };
  const [page, last] = await Promise.all([read, first()]);
  if (turn !== turns) return;
  if (same && tag && !last) return open({ label, picture: id }, how); // nothing has this tag any more
  forget();
  change({ label, tag, picture: id, last, ...(same ? {} : { images: page.images, all: !page.cursor }) });
  if (last) count(last, last.element);
  record(how);
  if (!same && page.cursor) await readOn(turn, label);
}

async function readOn(turn, label) {
  const { found, all } = await pages("images", { label }, "images", READ_MAX);
  if (turn === turns) change({ images: found, all });
}

/** Read the labels again, and the pictures of this one, since some were added; `other` is a label for an empty page. */
export async function refresh(other = "") {
  await loadLabels();
  const { label, labels, images } = state;
  if (!images.length) return open({ label: label || other || labels[0]?.label || "" }, "replace");
  await readOn(turns, label);
}

export async function loadLabels() {
  const { found } = await pages("labels", {}, "labels", READ_MAX);
  change({ labels: found.sort((a, b) => b.count - a.count || (a.label < b.label ? -1 : 1)) });
}

// -- changes to images

const etags = new Map(); // id -> ETag of the state that a person has seen

/** Read an image with its ETag. */
export async function inspect(id) {
  const answer = await ask("GET", `images/${id}/info`);
  etags.set(id, answer.header("ETag"));
  const image = JSON.parse(answer.text);
  replace(image);
  return image;
}

/** Put the new state of an image in the place of the old one, and into the total of its label. */
function replace(image) {
  const old = state.images.find(({ id }) => id === image.id);
  if (!old || JSON.stringify([old.weight, old.tags, old.filename, old.labels]) === JSON.stringify([image.weight, image.tags, image.filename, image.labels])) return;
  const more = image.weight - old.weight;
  const labels = state.labels.map((one) => (one.label === image.label ? { ...one, totalWeight: one.totalWeight + more } : one));
  change({ labels, images: state.images.map((one) => (one === old ? { ...old, ...image } : one)) });
}

/** Change an image, if it is still as the person has seen it. */
export async function patch(image, json) {
  const headers = etags.has(image.id) ? { "If-Match": etags.get(image.id) } : {};
  const answer = await ask("PATCH", path(image), { json, headers });
  etags.set(image.id, answer.header("ETag"));
  const changed = JSON.parse(answer.text);
  replace(changed);
  return changed;
}

let pending = []; // images whose deletes are not sent yet

/** Delete images after some seconds, in which the person may undo it. */
export function remove(images) {
  send();
  pending = images;
  change({ gone: new Set([...state.gone, ...images.map(({ id }) => id)]) });
  toast(`Deleted ${images.length === 1 ? titled(images[0]) : `${images.length} pictures`}.`, "Undo", undo, UNDO, send);
}

function undo() {
  const back = new Set(pending.map(({ id }) => id));
  pending = [];
  change({ gone: new Set([...state.gone].filter((id) => !back.has(id))) });
}

export const undoable = () => pending.length > 0;

/** Send the deletes that wait. With `keepalive` they are sent though the page goes. */
export async function send(keepalive) {
  const images = pending;
  if (!images.length) return;
  pending = [];
  const failed = new Set();
  for (const image of keepalive ? [] : images) {
    await ask("DELETE", path(image)).catch((error) => {
      if (error.status === 404) return;
      failed.add(image.id);
      report(error);
    });
  }
  if (keepalive) images.forEach((image) => ask("DELETE", path(image), { keepalive }).catch(() => {}));
  const gone = new Set([...state.gone].filter((id) => !failed.has(id)));
  change({ gone, images: state.images.filter(({ id }) => !gone.has(id)), last: gone.has(state.last?.id) ? null : state.last });
  await loadLabels().catch(report);
}

