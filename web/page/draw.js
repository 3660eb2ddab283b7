// Labels, tags, the drawn picture and the two buttons that draw.

import { BASE, get, pause, query } from "./api.js";
import { $, attempt, decimal, h, list, number, percent, picture, ratio, report, titled } from "./dom.js";
import { change, count, draw, forget, listen, open, record, shown, state } from "./state.js";

const FEW = 8; // labels that are shown without a click
const FAN = ["macaws", "sailing-yacht", "lighthouse-on-cape", "painted-face", "rafting", "red-barn", "caps"];
const TAGS = 6; // without a click
const MANY = 100;
const FALL = 0.025; // seconds between two of many draws

let allShown = false;
let allTags = false;
const faces = new Map(); // label -> an image of it, for its button
let reading = false;

function chips() {
  const { labels, label, tag, images } = state;
  const few = allShown || labels.length <= FEW ? labels : labels.slice(0, FEW - 1);
  const open_one = labels.find((one) => one.label === label);
  const items = open_one && !few.includes(open_one) ? [...few.slice(0, -1), open_one] : [...few];
  if (label && !open_one && images.length) items.unshift({ label, count: images.length });
  if (items.length < labels.length) items.push({ label: `All ${number(labels.length)} labels`, more: true });
  if (!items.length) items.push({ label: "No label yet. Adding a picture creates one.", none: true });
  list($(".labels"), items, (item) => item.label, labelChip, (element, item) => {
    const button = element.firstChild;
    if (item.none || item.more) return;
    button.ariaPressed = `${item.label === label}`;
    $("small", button).textContent = number(item.count);
    const face = item.label === label ? images[0] : faces.get(item.label);
    if (face && !$("img", button)) $("i", button).replaceWith(picture(face, 256, { width: 40, height: 40 }));
  });

  const counts = new Map();
  for (const one of images.flatMap(({ tags }) => tags ?? [])) counts.set(one, (counts.get(one) ?? 0) + 1);
  const tags = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  const some = allTags ? tags : tags.filter(([name], place) => place < TAGS || name === tag);
  if (some.length < tags.length) some.push([`All ${tags.length} tags`, 0]);
  $("#tags-title").hidden = !some.length;
  $("#tags-title").textContent = `Only with the tag${state.all ? "" : ` (of the first ${number(images.length)})`}`;
  list($(".tags"), some, ([name]) => name, tagChip, (element, [name, times]) => {
    element.firstChild.ariaPressed = `${name === tag}`;
    $("small", element).textContent = times || "";
  });
}

function labelChip({ label, none, more }) {
  if (none) return h("li", {}, h("span.none", { textContent: label }));
  const onclick = more
    ? () => ((allShown = true), change())
    : ({ currentTarget }) => attempt(currentTarget, () => open({ label }));
  return h("li", {}, h("button.chip", { onclick }, more ? "" : h("i"), h("span", { textContent: label }), h("small")));
}

const tagChip = ([name, times]) => {
  const onclick = ({ currentTarget }) => {
    if (!times) return change(void (allTags = true));
    attempt(currentTarget, () => open({ label: state.label, tag: state.tag === name ? "" : name }));
  };
  return h("li", {}, h("button.chip", { onclick }, name, h("small")));
};

/** Read a picture for each label's button, one after the other: the throttles are shared by all visitors. */
async function readFaces() {
  const next = state.labels.slice(0, FEW).find(({ label }) => label !== state.label && !faces.has(label));
  if (!next || reading || !state.last) return;
  reading = true;
  const { images } = await get(`images?${query({ label: next.label, limit: 1 })}`).catch(() => ({ images: [] }));
  faces.set(next.label, images[0]);
  reading = false;
  change();
}

// -- the picture

/** Show the last draw. Picture and caption change in one frame, since the picture is decoded already. */
function hero() {
  const { last, images, label } = state;
  const empty = !images.length;
  $(".zone").hidden = !empty || !state.status;
  if (empty && !$(".fan").childElementCount) $(".fan").append(...FAN.map((name) => h("img", { alt: "", src: new URL(`web/samples/${name}.jpg`, BASE) })));
  $(".hero").hidden = !$(".zone").hidden;
  for (const button of [$("#one"), $("#many")]) button.disabled = empty;
  $(".hero figcaption").hidden = $(".hero .open").hidden = !last;
  $(".frame").disabled = !last;
  if (!last) return $(".frame").replaceChildren();
  if ($(".front") !== last.element) {
    const box = $(".hero").getBoundingClientRect();
    const fit = ratio(last) / (box.width / box.height); // a sixth may be cut off
    $(".hero").classList.toggle("fits", fit > 5 / 6 && fit < 6 / 5);
    const back = h("img.back", { alt: "", src: last.element.src });
    $(".frame").replaceChildren(back, last.element);
  }
  $(".frame").ariaLabel = `Open ${titled(last)}, ${label}`;
  $(".hero b").textContent = percent(last.probability);
  $(".fraction").textContent = `weight ${decimal(last.weight)} of ${decimal(last.totalWeight)} in total`;
  $(".hero .name").textContent = titled(last);
}

let running = null; // of many draws

function said() {
  const { drawn, images, status } = state;
  const words = !images.length ? "There is nothing to draw yet." : drawn ? `Drawn ${number(drawn)} ${drawn === 1 ? "time" : "times"}.` : "";
  if (status) $(".said [role=status]").textContent = running ? `${running.done} of ${MANY}` : words;
  $("#over").hidden = !drawn || Boolean(running);
  $("#many").textContent = running ? "Stop" : `Draw ${MANY}`;
}

async function one() {
  const { label, tag } = state;
  const image = await draw(state).catch(gone);
  const element = await shown(image);
  if (label === state.label && tag === state.tag) count(image, element);
}

/** All pictures may have been deleted elsewhere. */
function gone(error) {
  if (error.status === 404) change({ images: [], last: null });
  throw error;
}

/** Draw a hundred in one request, and let them fall one by one. The last one is the picture. */
async function many() {
  if (running) return void (running.stopped = true);
  const me = (running = { done: 0 });
  const { label, tag } = state;
  change();
  try {
    const images = await draw(state, MANY).catch(gone);
    const same = () => !me.stopped && label === state.label && tag === state.tag;
    for (const image of images) {
      if (!same()) break;
      me.done++;
      count(image);
      await pause(FALL);
    }
    const { last } = state;
    if (me.done && label === state.label) change({ last: { ...last, element: await shown(last) } });
  } finally {
    running = null;
    change();
  }
}

export const stopDrawing = () => running && ((running.stopped = true), true);

listen(chips);
listen(hero);
listen(said);
listen(readFaces);
$("#one").onclick = ({ currentTarget }) => attempt(currentTarget, one);
$("#many").onclick = () => many().catch(report);
$("#over").onclick = () => ($("#one").focus(), forget());
$(".frame").onclick = () => {
  change({ picture: state.last.id });
  record();
};
