// The search box: file names and tags while one types, words and meaning on Enter, or a picture dropped on it.

import { Problem, ask, get, query } from "./api.js";
import { $, attempt, h, pictures, report, titled } from "./dom.js";
import { state } from "./state.js";
import { showFound } from "./gallery.js";

const HITS = 48;
const SIDE = 1024; // pixels of a picture that is sent to be searched for
const SENT_MAX = 4_000_000; // bytes
const form = $(".find");
const input = $("input", form);

let searches = 0; // what answers an older search comes too late

function clear() {
  searches++;
  input.value = "";
  showFound(null);
}

function show(images, text, by) {
  const words = [h("span", {}, h("b", { textContent: images.length ? pictures(images.length) : "No picture" }), text), " ", h("button.link", { textContent: "Clear", onclick: () => (clear(), input.focus()) })];
  showFound(images.map((image) => ({ ...image, ...by(image) })), words);
}

/** Return the images read so far whose file name or tags contain the text, in any case. */
function named(text) {
  const part = text.toLowerCase();
  return state.images
    .filter((image) => titled(image).toLowerCase().includes(part) || image.tags?.some((tag) => tag.startsWith(part)))
    .map((image) => ({ ...image, why: titled(image).toLowerCase().includes(part) ? `file name: ${text}` : `tag: ${text}`, word: true }));
}

const WHY = {
  words: ({ matched }) => ({ why: `${matched.length === 1 ? "word" : "words"}: ${matched.join(", ")}`, word: true }),
  meaning: ({ similarity }) => ({ why: `by meaning, ${similarity.toFixed(2)}` }),
  picture: ({ similarity }) => ({ why: `looks alike, ${similarity.toFixed(2)}` }),
};
const why = (image) => WHY[image.by]?.(image) ?? {};

async function find() {
  const text = input.value.trim();
  if (!text) return clear();
  const turn = ++searches;
  const { label } = state;
  const begins = label ? await get(`images?${query({ label, filename: text, limit: HITS })}`) : { images: [] };
  const searched = state.status.search === "none" ? { images: [] } : await get(`search?${query({ q: text, k: HITS })}`);
  if (turn !== searches) return;
  const names = begins.images.map((image) => ({ ...image, why: `file name: ${text}`, word: true }));
  const all = [...searched.images.filter(({ by }) => by === "words"), ...names, ...named(text), ...searched.images.filter(({ by }) => by !== "words")];
  const images = [...new Map(all.reverse().map((image) => [image.id, image])).values()].reverse();
  if (!images.length) return show([], state.status.search === "none" ? ` has a file name or a tag with “${text}”.` : ` matches “${text}” or its meaning.`, why);
  if (state.status.search === "none") return show(images, ` with “${text}” in the file name or a tag.`, why);
  const near = images.filter(({ by }) => by === "meaning").length;
  const have = images.length - near;
  show(images, ` for “${text}”, the nearest first. ${have} ${have === 1 ? "has" : "have"} the word${near ? `, ${near} ${near === 1 ? "is" : "are"} near in meaning` : ""}.`, why);
}

/** Search for pictures like a file. A large one is sent smaller. */
async function alike(file) {
  if (state.status.search === "none") throw new Problem("This service cannot search by a picture: it has no encoder.");
  const turn = ++searches;
  const body = new FormData();
  body.append("k", HITS);
  body.append("img", file.size > SENT_MAX ? await smaller(file) : file);
  const { images } = JSON.parse((await ask("POST", "search", { body })).text);
  if (turn === searches) show(images, ` like ${file.name}, the nearest first.`, why);
}

async function smaller(file) {
  const whole = await createImageBitmap(file);
  const scale = SIDE / Math.max(whole.width, whole.height);
  const canvas = new OffscreenCanvas(Math.ceil(whole.width * scale), Math.ceil(whole.height * scale));
  canvas.getContext("2d").drawImage(whole, 0, 0, canvas.width, canvas.height);
  return canvas.convertToBlob({ type: "image/jpeg" });
}

form.onsubmit = (event) => {
  event.preventDefault();
  attempt(input, find);
};
input.oninput = () => {
  const text = input.value.trim();
  if (!text) return clear();
  searches++;
  show(named(text), ` with “${text}” in the file name or a tag. Enter searches everywhere.`, () => ({}));
};
input.onkeydown = (event) => {
  if (event.key !== "Escape") return;
  event.preventDefault();
  event.stopPropagation();
  clear();
};
form.ondrop = (event) => {
  event.preventDefault();
  const [file] = event.dataTransfer.files;
  if (file) alike(file).catch(report);
};
