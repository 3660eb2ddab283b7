// The one state of the page: the address (label, tag, picture), what was read, what was drawn, and changes to images.

import { ask, deleteAtOnce, get, pages, path, query, when } from "./api.js";
import { law } from "./law.js";
import { hush, keepFocus, picture, report, titled, toast } from "./dom.js";

export const READ_MAX = 1000; // images of a label, and labels
const UNDO = 8; // seconds

export const state = {
  status: null, // the answer of GET /status
  labels: [], // { label, count, totalWeight }, the largest first
  label: "",
  tag: "",
  picture: "", // the id of the image in the light box
  images: [], // of the label, as far as they were read
  all: true, // whether these are all
  rows: [], // those with the tag, with probability, count and expected count; the likeliest first
  rest: 0, // the probability of those that were not read
  drawn: 0,
  last: null, // the image drawn last
  hero: null, // the image that is shown, with the element that shows it
  ready: false, // whether a label was opened, or there is none
  fresh: new Map(), // id -> image as it was read or changed last
  gone: new Set(), // ids of deleted images, also while Undo is possible
};

const listeners = [];
let due;
export const listen = (listener) => listeners.push(listener);
export const labelled = (name = state.label) => state.labels.find(({ label }) => label === name);

/** Change the state. The page is drawn again once, after everything that changes now. */
export function change(values) {
  Object.assign(state, values);
  due ??= Promise.resolve().then(() => {
    due = null;
    compute();
    keepFocus(() => listeners.forEach((listener) => listener(state)));
  });
}

// -- draws: each counts with the law that was in force when it was drawn

let counts = new Map(); // id -> times drawn
let before = new Map(); // id -> times expected, of laws that were in force before
let since = 0; // draws since the law changed
let inForce = [];

function compute() {
  const { images, all, tag, rows } = state;
  const total = all ? undefined : tag ? state.last?.totalWeight : labelled()?.totalWeight;
  const now = [images, tag, total];
  if (now.some((each, place) => each !== inForce[place])) {
    for (const { id, probability } of rows) before.set(id, (before.get(id) ?? 0) + probability * since);
    [since, inForce] = [0, now];
    state.rows = law(tag ? images.filter(({ tags }) => tags?.includes(tag)) : images, total);
    state.rest = all ? 0 : Math.max(0, 1 - state.rows.reduce((sum, { probability }) => sum + probability, 0));
  }
  for (const row of state.rows) {
    row.count = counts.get(row.id) ?? 0;
    row.expected = (before.get(row.id) ?? 0) + row.probability * since;
  }
}

/** Count a draw, and show it if there is an element for it. */
export function count(image, element) {
  counts.set(image.id, (counts.get(image.id) ?? 0) + 1);
  since++;
  change({ drawn: state.drawn + 1, last: image, hero: element ? { ...image, element } : state.hero });
}

export function forget() {
  [counts, before, since] = [new Map(), new Map(), 0];
  change({ drawn: 0 });
}

export async function draw({ label, tag }, many) {
  const answer = await get(`random.json?${query({ label, tag, count: many })}`);
  return many ? answer.images.map((image) => ({ ...image, totalWeight: answer.totalWeight })) : answer;
}

/** Return the element that shows an image, as soon as it can be shown without a wait. */
export async function shown(image) {
  const element = picture(image, 1024, { className: "front", alt: `${titled(image)}, ${image.label}` });
  await element.decode().catch(() => new Promise((resolve) => ["load", "gone"].forEach((name) => element.addEventListener(name, resolve))));
  return element;
}

/** Return label, tag and picture of the address. What cannot be one is left out. */
export function wanted() {
  const [label, ...more] = location.hash.slice(1).toLowerCase().split("&");
  const given = new URLSearchParams(more.join("&"));
  const valid = (value, pattern) => (value && pattern.test(value) ? value : "");
  const [LABEL, ID] = [/^[a-z][a-z0-9-]{0,31}$/, /^[a-z][a-z0-9-]*\/[0-9a-f]{32}\.\w+$/];
  return { label: valid(label, LABEL), tag: valid(given.get("tag"), LABEL), picture: valid(given.get("picture"), ID) };
}

/** Write the state into the address, as an entry of its own or (`replace`) in place of the present one. */
export function record(how = "push") {
  const { label, tag, picture: id, images } = state;
  const address = `#${label}${tag && `&tag=${tag}`}${id && `&picture=${id}`}`;
  if (how === "push" && address !== location.hash) history.pushState({ isBox: id !== "" }, "", address);
  if (how === "replace") history.replaceState(history.state, "", address);
  const one = state.fresh.get(id) ?? images.find((image) => image.id === id);
  document.title = `${one ? titled(one) : label}${label && " · "}petAPI`;
}

/** Open the light box with an image, or close it. Its entry in the history goes with it. */
export function look(id) {
  if (state.gone.has(id)) return;
  const how = state.picture ? "replace" : "push";
  change({ picture: id });
  if (!id && history.state?.isBox) history.back();
  else record(how);
}

let turns = 0; // what answers an older wish comes too late
let readings = 0; // and what an older reading
export let wish = {}; // label and tag that were asked for last

/** Show a label or a tag: its pictures, and a draw from it. Nothing changes before both are there. */
export async function open(place, how) {
  const turn = ++turns;
  wish = { label: place.label, tag: place.tag ?? "" };
  try {
    await bring(turn, place, how);
  } catch (error) {
    if (turn !== turns) return;
    if (state.ready) {
      wish = { label: state.label, tag: state.tag };
      record("replace");
    }
    throw error;
  }
}

async function bring(turn, { label = "", tag = "", picture: id = "" }, how) {
  if (!label) {
    forget();
    change({ label, tag: "", images: [], last: null, hero: null, ready: true });
    return record(how);
  }
  const same = label === state.label && state.images.length > 0;
  const read = same ? state : get(`images?${query({ label, limit: 100 })}`);
  const first = async () => {
    if (!labelled(label) && !(await read).images.length) return null;
    const image = await draw({ label, tag }).catch((error) => (error.status === 404 ? null : Promise.reject(error)));
    return image && [image, await shown(image)];
  };
  const [{ images, cursor }, drawn] = await Promise.all([read, first()]);
  if (turn !== turns) return;
  if (tag && !drawn && images.length) return open({ label, picture: id }, how); // nothing has this tag any more
  forget();
  change({ label, tag, picture: id, last: null, hero: null, images, all: same ? state.all : !cursor, ready: true });
  compute(); // so that the draw counts with this law
  if (drawn) count(...drawn);
  record(how);
  if (cursor) await readOn();
}

async function readOn() {
  const [reading, { label }] = [++readings, state];
  const { found, all } = await pages("images", { label }, READ_MAX);
  if (reading === readings && label === state.label) change({ images: found, all });
}

/** Read the labels again, and the pictures of this one, since some were added; `other` is a label for an empty page. */
export async function refresh(other) {
  await loadLabels();
  const { label, labels, images } = state;
  dispatchEvent(new Event("more"));
  if (images.length) await readOn();
  else await open({ label: label || other || labels[0]?.label }, "replace");
}

export const readStatus = async () => change({ status: await get("status") });

export const statusKnown = async () => state.status ?? (await readStatus(), state.status);

export async function loadLabels() {
  const { found } = await pages("labels", {}, READ_MAX);
  change({ labels: found.sort((a, b) => b.count - a.count || (a.label < b.label ? -1 : 1)) });
}

/** Put what was read of an image in all places. Return it with its ETag, which a later change may name. */
function seen({ text, header }) {
  const { probability, ...read } = JSON.parse(text);
  const old = state.images.find(({ id }) => id === read.id);
  const guesses = (state.fresh.get(read.id) ?? old)?.labels; // the answer of a change has none
  const known = { filename: undefined, tags: undefined, labels: guesses, ...read };
  state.fresh.set(read.id, known);
  const totalWeight = read.weight / probability;
  const labels = state.labels.map((one) => (one.label === read.label ? { ...one, totalWeight } : one));
  const differs = old && JSON.stringify({ ...old, ...known }) !== JSON.stringify(old);
  change({ labels, images: differs ? state.images.map((one) => (one === old ? known : one)) : state.images });
  return { ...known, probability, etag: header("ETag") };
}

export const inspect = async (id) => seen(await ask("GET", `images/${id}/info`));

export const patch = async (image, json) =>
  seen(await ask("PATCH", path(image), { json, headers: image.etag ? { "If-Match": image.etag } : {} }));

let pending = []; // deleted images that Undo brings back
let leaving = []; // those whose DELETE is sent now, one after the other
let timer;

/** Delete images after some seconds, in which the person may undo it. Return whether this is allowed. */
export async function remove(images) {
  const no = await when.write();
  if (no) return toast(no), false;
  send();
  pending = images;
  timer = setTimeout(send, UNDO * 1000);
  change({ gone: new Set([...state.gone, ...images.map(({ id }) => id)]) });
  toast(`Deleted ${images.length === 1 ? titled(images[0]) : `${images.length} pictures`}.`, "Undo", undo, UNDO);
  return true;
}

/** Keep an image that was added again while it waited to be deleted. */
export function keep(image) {
  pending = pending.filter(({ id }) => id !== image.id);
  leaving = leaving.filter(({ id }, place) => !place || id !== image.id); // the first is on its way
  restore([image]);
}

function restore(images) {
  for (const { id } of images) state.gone.delete(id);
  change();
}

export function undo() {
  if (!pending.length) return false;
  hush();
  restore(pending.splice(0));
  return true;
}

/** Send the deletes that wait, though the page goes. */
export const sendAtOnce = () => [...leaving, ...pending.splice(0)].forEach(deleteAtOnce);

async function send() {
  clearTimeout(timer);
  const idle = !leaving.length;
  leaving.push(...pending.splice(0));
  if (!idle || !leaving.length) return;
  for (; leaving.length; leaving.shift()) {
    await ask("DELETE", path(leaving[0])).catch((error) => {
      if (error.status === 404) return;
      restore([leaving[0]]);
      report(error);
    });
  }
  await loadLabels().catch(report);
  const left = state.images.filter(({ id }) => !state.gone.has(id) || pending.some((image) => image.id === id));
  change({ images: left, ...(state.gone.has(state.hero?.id) && { last: null, hero: null }) });
  if (!left.length) await open({ label: state.labels[0]?.label }, "replace").catch(report);
}
