// The search box: file names and tags while one types, words and meaning on Enter, or a picture dropped on it.

import { Problem, ask, get, pages, query } from "./api.js";
import { $, attempt, counted, link, report, text, titled } from "./dom.js";
import { read, showFound } from "./gallery.js";
import { READ_MAX, listen, state, statusKnown } from "./state.js";

const HITS = 48;
const SIDE = 1024; // pixels of the width of a large picture that is sent to be searched for
const SENT_MAX = 4_000_000; // bytes
const form = $(".find");
const input = $("input", form);
let searches = 0; // what answers an older search comes too late
let searched = ""; // the label whose pictures are searched

function clear() {
  searches++;
  showFound(null);
}

function show(images, words) {
  const again = link("Clear", () => {
    clear();
    input.focus();
  });
  showFound(images, [text("b", images.length ? counted(images.length) : "No picture"), ` ${words} `, again]);
}

const WHY = {
  words: ({ matched }) => ({ why: `${matched.length === 1 ? "word" : "words"}: ${matched.join(", ")}`, word: true }),
  meaning: ({ similarity }) => ({ why: `by meaning, ${similarity.toFixed(2)}` }),
  picture: ({ similarity }) => ({ why: `looks alike, ${similarity.toFixed(2)}` }),
};
const explained = (image) => ({ ...image, ...WHY[image.by](image) });

/** Return those images whose file name contains the text, in any case, or with a tag that begins with it. */
function named(words, images = read()) {
  const part = words.toLowerCase();
  const why = (image) => (titled(image).toLowerCase().includes(part) ? "file name" : image.tags?.some((tag) => tag.startsWith(part)) && "tag");
  return images.filter(why).map((image) => ({ ...image, why: `${why(image)}: ${words}`, word: true }));
}

/** Read hits. A text that cannot be in a file name, or has no word, is no mistake of the person: it finds nothing. */
const hitsOf = async (target) =>
  (await get(target).catch((error) => (error.status === 422 ? { images: [] } : Promise.reject(error)))).images;

async function find() {
  const q = input.value.trim();
  if (!q) return clear();
  const turn = ++searches;
  const { label } = state;
  const none = (await statusKnown()).search === "none";
  const begins = label ? await hitsOf(`images?${query({ label, filename: q, limit: HITS })}`) : [];
  const hits = none ? [] : (await hitsOf(`search?${query({ q, k: HITS })}`)).map(explained);
  const everywhere = (await pages("images", {}, READ_MAX)).found;
  if (turn !== searches) return;
  const near = hits.filter(({ word }) => !word);
  const all = [...hits.filter(({ word }) => word), ...begins.map((image) => ({ ...image, why: `file name: ${q}`, word: true })), ...named(q, everywhere), ...near];
  const images = all.filter(({ id }, place) => all.findIndex((one) => one.id === id) === place);
  const have = images.filter(({ word }) => word).length;
  const far = images.length - have;
  const words = `for “${q}”, the nearest first. ${have} ${have === 1 ? "has" : "have"} the word, ${far} ${far === 1 ? "is" : "are"} near in meaning.`;
  if (none) show(images, `with “${q}” in the file name or a tag. This service searches neither by meaning nor by a picture.`);
  else show(images, images.length ? words : `matches “${q}” or its meaning.`);
}

async function alike(file) {
  if ((await statusKnown()).search === "none") throw new Problem("This service cannot search by a picture: it has no encoder.");
  const turn = ++searches;
  const body = new FormData();
  body.append("k", HITS);
  body.append("img", file.size > SENT_MAX ? await smaller(file) : file);
  const { images } = JSON.parse((await ask("POST", "search", { body })).text);
  if (turn === searches) show(images.map(explained), `like ${file.name}, the nearest first.`);
}

async function smaller(file) {
  const picture = await createImageBitmap(file, { resizeWidth: SIDE });
  const canvas = new OffscreenCanvas(picture.width, picture.height);
  canvas.getContext("2d").drawImage(picture, 0, 0);
  return canvas.convertToBlob({ type: "image/jpeg" });
}

form.onsubmit = (event) => {
  event.preventDefault();
  input.ariaBusy = "false"; // the last search counts
  attempt(input, find);
};
input.oninput = () => {
  const words = input.value.trim();
  if (!words) return clear();
  searches++;
  show(named(words), `with “${words}” in the file name or a tag. Enter searches everywhere.`);
};
input.onkeydown = (event) => {
  if (event.key !== "Escape") return;
  event.preventDefault();
  event.stopPropagation();
  clear();
};
listen(({ label }) => {
  if (label !== searched && searched) clear();
  searched = label;
});
form.ondrop = (event) => {
  event.preventDefault();
  const [file] = event.dataTransfer.files;
  input.ariaBusy = "false";
  if (file) attempt(input, () => alike(file));
};
