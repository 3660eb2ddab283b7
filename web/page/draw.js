// Labels, tags, the drawn picture and the two buttons that draw.

import { BASE, get, pause, query } from "./api.js";
import { $, attempt, counted, decimal, h, list, percent, picture, report, set, text, titled } from "./dom.js";
import { change, count, draw, forget, labelled, listen, look, open, refresh, shown, state, wish } from "./state.js";

const LABELS = 8; // without a click
const FACES = 60; // at most
const TAGS = 3;
const MANY = 100;
const FALL = 0.025; // seconds between two of many draws
const FAN = ["macaws", "sailing-yacht", "lighthouse-on-cape", "painted-face", "rafting", "red-barn", "caps"];

const faces = new Map(); // label -> an image of it, for its button
let running = null; // of many draws
let reading = false;
let allLabels = false;
let allTags = false;

/** Show buttons: { name, small, pressed, face, go }. */
function chips(parent, items) {
  list(parent, items, ({ name }) => name, ({ name }) => h("li", {}, h("button.chip", {}, h("i"), text("span", name), h("small"))), (element, { small, pressed, face, go }) => {
    const button = element.firstChild;
    const onclick = () => {
      button.ariaBusy = "false"; // the last wish counts, though it was an earlier one, too
      attempt(button, async () => go());
    };
    set(button, { ariaPressed: pressed, title: element.dataset.key, onclick });
    button.lastChild.textContent = small;
    if (face && !$("img", button)) button.firstChild.replaceWith(picture({ ...face, width: 40, height: 40 }, 256));
  });
}

function labels({ label, tag, images, labels: known, status }) {
  const all = label && images.length && !labelled() ? [{ label, count: images.length }, ...known] : known;
  const few = allLabels || all.length <= LABELS ? all : all.filter((one, place) => place < LABELS - 1 || one.label === label);
  const items = few.map(({ label: name, count: times }) => {
    const pressed = name === label;
    return { name, small: times.toLocaleString("en"), pressed, face: pressed ? images[0] : faces.get(name), go: () => (pressed && name === wish.label && !tag && !wish.tag) || open({ label: name }) };
  });
  if (few.length < all.length) items.push({ name: `All ${all.length} labels`, small: "", pressed: null, go: () => change(void (allLabels = true)) });
  chips($(".labels"), items);
  if (status && !known.length) $(".labels").append(text("li", "No label yet. Adding a picture creates one."));
  else if (status && label && !images.length) $(".labels").append(text("li", `There are no pictures of ${label}.`));
}

function tags({ label, tag, images, all: complete }) {
  const counts = new Map();
  for (const one of images.flatMap((image) => image.tags ?? [])) counts.set(one, (counts.get(one) ?? 0) + 1);
  const all = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  const few = all.filter(([name], place) => allTags || place < TAGS || name === tag);
  const items = few.map(([name, small]) => ({ name, small, pressed: name === tag, go: () => open({ label, tag: name === tag ? "" : name }) }));
  if (few.length < all.length) items.push({ name: `All ${all.length} tags`, small: "", pressed: null, go: () => change(void (allTags = true)) });
  chips($(".tags"), items);
  set($("#tags-title"), { hidden: !all.length, textContent: `Only with the tag${complete ? "" : ` (of the first ${images.length.toLocaleString("en")})`}` });
}

/** Read a picture for each label's button, one after the other: visitors share the throttles. */
async function readFaces() {
  const next = state.labels.slice(0, allLabels ? FACES : LABELS).find(({ label }) => label !== state.label && !faces.has(label));
  if (!next || reading || !state.hero) return;
  reading = true;
  const { images } = await get(`images?${query({ label: next.label, limit: 1 })}`).catch(() => ({ images: [] }));
  faces.set(next.label, images[0]);
  reading = false;
  change();
}

/** Show the picture. It changes with its caption in one frame, since it is decoded already. */
function hero({ hero: last, images, rows, label, labels: known, status, ready }) {
  const empty = !images.length;
  document.documentElement.classList.toggle("begun", ready); // until then, what would jump is not shown
  $("#samples").hidden = $("#samples + small").hidden = known.length > 0;
  $(".zone").hidden = !empty || !ready || !status;
  $(".hero").hidden = !$(".zone").hidden;
  if (!$(".zone").hidden && !$(".fan img")) $(".fan").append(...FAN.map((name) => h("img", { alt: "", src: new URL(`web/samples/${name}.jpg`, BASE) })));
  for (const button of [$("#one"), $("#many")]) button.disabled = !rows.length;
  $("figcaption").hidden = $(".open").hidden = $(".frame").disabled = !last;
  if (!last) return $(".frame").replaceChildren();
  if ($(".front") !== last.element) {
    const { clientWidth, clientHeight } = $(".hero");
    const fit = last.width / last.height / (clientWidth / clientHeight); // a sixth may be cut off
    $(".hero").classList.toggle("fits", fit > 5 / 6 && fit < 6 / 5);
    $(".frame").replaceChildren(h("img.back", { alt: "", src: last.element.src }), last.element);
  }
  const name = titled(state.fresh.get(last.id) ?? last);
  $(".frame").ariaLabel = `Open ${name}, ${label}`;
  $(".hero b").textContent = percent(last.probability);
  $(".fraction").textContent = `weight ${decimal(last.weight)} of ${decimal(last.totalWeight)} in total`;
  $(".hero .name").textContent = name;
}

function said({ drawn, images, status }) {
  const words = running ? `${running.done} of ${MANY}` : !images.length ? "There is nothing to draw yet." : drawn && `Drawn ${counted(drawn, "time")}.`;
  $(".said span").role = running ? null : "status"; // a hundred numbers are too many to be read out
  if (status) $(".said span").textContent = words || "";
  $("#over").hidden = !drawn || running !== null;
  $("#many").textContent = running ? "Stop" : `Draw ${MANY}`;
}

/** Draw. If pictures were added or deleted elsewhere, read them again. */
async function drawn(times) {
  const { label, tag, rows, all } = state;
  const images = await draw(state, times).catch(async (error) => {
    if (error.status === 404) await (tag ? open({ label }, "replace") : refresh());
    throw error;
  });
  const billionths = (weight) => Math.round(weight * 1e9);
  const total = (images[0] ?? images).totalWeight;
  if (all && billionths(total) !== rows.reduce((sum, { weight }) => sum + billionths(weight), 0)) await refresh();
  return [images, () => label === state.label && tag === state.tag];
}

async function one() {
  const [image, current] = await drawn();
  const element = await shown(image);
  if (current()) count(image, element);
}

/** Draw a hundred in one request, and let them fall one by one. The last one is the picture. */
async function many() {
  if (stopDrawing()) return;
  const me = (running = { done: 0, stopped: false });
  change();
  try {
    const [images, current] = await drawn(MANY);
    for (const image of images) {
      if (me.stopped || !current()) break;
      me.done++;
      count(image);
      await pause(FALL);
    }
    const { last } = state;
    const element = me.done && current() && (await shown(last));
    if (element && current() && state.last === last) change({ hero: { ...last, element } });
  } finally {
    if (running === me) running = null;
    change();
  }
}

export function stopDrawing() {
  if (!running) return false;
  running.stopped = true;
  running = null;
  change();
  return true;
}

for (const show of [labels, tags, hero, said, readFaces]) listen(show);
$("#one").onclick = ({ currentTarget }) => attempt(currentTarget, one);
$("#many").onclick = () => many().catch(report);
$("#over").onclick = () => {
  $("#one").focus();
  forget();
};
$(".frame").onclick = () => look(state.hero.id);
