// The page: uploads, draws and their histogram, the gallery, and one image with its weight.
// All requests go to the URL that this file came from, relative to it, because it may have a stage or be a CDN.

const BASE = new URL("../../", import.meta.url);
const TRIES = 6; // of a read that gets Retry-After
const WAIT_MAX = 30; // seconds, even if Retry-After says more
const MANY = 100; // draws
const PATIENCE = 120; // seconds for a file that was sent directly
const REFUSED_IN_NAME = /[/\\\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069]/u; // the service refuses these characters in a file name
const DIRECT_MIN = 4_400_000; // bytes; a larger file goes straight to S3, because the API takes no form this large
const FILE_MAX = 20_000_000; // bytes; S3 refuses more, but only after it has received all of it
const ROWS = 10; // of the histogram; the least probable images share one row
const PAGES = 10; // of the distribution, 100 images each; other images are known once they are drawn
const LABELS = 1000; // that are loaded at the start, at most
const TILES = 24; // of the gallery, at a time
const HITS = 24; // of a search

const $ = (selector, root = document) => root.querySelector(selector);
/** The weight without an exponent. */
const decimal = (weight) => weight.toFixed(9).replace(/0+$/, "");
const megabytes = (file) => (Math.ceil(file.size / 1e5) / 10).toFixed(1); // rounded up: a file of 20.01 MB is shown as 20.1, not as 20.0
const percent = (share) => `${(share * 100).toFixed(1)} %`;
const path = (image) => `images/${image.id}`;
const address = (image) => new URL(path(image), BASE).href;

// -- requests

class Problem extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

function refusal(status, text) {
  let detail = "";
  try {
    detail = JSON.parse(text).detail;
  } catch {
    // the answer is not from petAPI, or there is none
  }
  const trouble = status ? `answered ${status}` : "cannot be reached";
  return new Problem(status, detail || `The service ${trouble}; retry in a moment.`);
}

const authorization = () => {
  const token = sessionStorage.getItem("token");
  return token ? { Authorization: `Bearer ${token}` } : {};
};

const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

/** Return the answer, or throw a Problem. A read waits as long as Retry-After says and tries again. */
async function ask(method, target, { body, headers } = {}) {
  const read = method === "GET";
  const options = { method, body, cache: "no-store", headers: { ...(read ? {} : authorization()), ...headers } };
  for (let tried = 1; ; tried++) {
    const response = await fetch(new URL(target, BASE), options).catch(() => null);
    if (response?.ok) return response;
    if (!read || tried === TRIES || ![429, 503].includes(response?.status)) {
      throw refusal(response?.status, await response?.text());
    }
    await pause(Math.min(Number(response.headers.get("Retry-After")) || 1, WAIT_MAX));
  }
}

const get = async (target) => (await ask("GET", target)).json();

const query = (values) =>
  new URLSearchParams(Object.entries(values).filter(([, value]) => value !== "" && value !== undefined)).toString();

// -- problems

function report(error) {
  if (!(error instanceof Problem)) console.error(error);
  $("#problem p").textContent = error.message;
  $("#problem").hidden = false;
}

const forgive = () => {
  $("#problem").hidden = true;
  $("#problem p").textContent = "";
};

/** Run an action, and show its error if it fails. */
function run(action) {
  forgive();
  return action().catch(report);
}

/** Run an action once at a time. Its button is busy meanwhile, but keeps the focus. */
async function attempt(button, action) {
  if (button.ariaBusy === "true") return;
  button.ariaBusy = "true";
  await run(action);
  button.ariaBusy = "false";
}

// -- pictures

const describe = (image) => `${image.filename || `Picture ${image.id.split("/")[1].slice(0, 8)}`}, ${image.label}`;

/** Show a thumbnail, or the whole picture if the thumbnail cannot be loaded. */
function show(element, image, size) {
  element.onerror = () => {
    element.onerror = null;
    element.src = address(image);
  };
  element.alt = describe(image);
  element.src = `${address(image)}?size=${size}`;
}

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

// -- labels

let label = "";
const labels = new Map(); // label -> number of its images
let listed = false; // whether `labels` has all labels

async function loadLabels() {
  listed = false;
  labels.clear();
  let cursor;
  do {
    const page = await get(`labels?${query({ limit: 100, cursor })}`);
    for (const entry of page.labels) labels.set(entry.label, entry.count);
    cursor = page.cursor;
  } while (cursor && labels.size < LABELS);
  const options = [...labels].map(([name, count]) => make("option", { value: name, label: `${name} (${count})` }));
  $("#labels").replaceChildren(...options);
  listed = !cursor;
}

function choose(name) {
  const before = label;
  label = name.trim().toLowerCase();
  $("#label").value = label;
  const field = $("#upload-label");
  if (field.value === before) field.value = label; // but keep what the person has typed
  for (const element of document.querySelectorAll("[data-label]")) element.textContent = label;
  history.replaceState(null, "", `#${encodeURIComponent(label)}`);
}

async function open(name) {
  choose(name);
  await Promise.all([restart().then(() => (listed && !labels.has(label) ? empty() : draw())), browse()]);
}

// -- draws

let counts = new Map(); // id -> times drawn
let exact = new Map(); // id -> image with its probability
let last = null; // the image drawn last
let stopped = true;

/** Forget the draws and read the exact distribution again, because weights or images have changed. */
async function restart() {
  counts = new Map();
  exact = new Map();
  last = null;
  stopped = true;
  $("#draw-status").textContent = "";
  const wanted = label;
  const known = new Map();
  if (!listed || labels.has(label)) {
    for (let cursor, pages = 0; pages < PAGES; pages++) {
      const page = await get(`labels/${encodeURIComponent(label)}?${query({ limit: 100, cursor })}`).catch(orEmpty);
      for (const image of page.images) known.set(image.id, { ...image, label });
      cursor = page.cursor;
      if (!cursor) break;
    }
  }
  if (wanted === label) exact = known;
  chart();
}

function empty() {
  $("#drawn").hidden = true;
  $("#nothing").hidden = false;
}

/** Draw once. Each draw is a request of its own, so the histogram shows what API clients get. */
async function once() {
  const wanted = label;
  const response = await ask("GET", `random?${query({ label, format: "json" })}`);
  const image = await response.json();
  if (wanted !== label) return;
  counts.set(image.id, (counts.get(image.id) ?? 0) + 1);
  exact.set(image.id, image);
  last = { ...image, weightText: response.headers.get("Image-Weight"), total: response.headers.get("Image-Total-Weight") };
}

function orEmpty(error) {
  if (error.status === 404) empty();
  throw error;
}

async function draw() {
  await once().catch(orEmpty);
  showDrawn();
  chart();
}

function showDrawn() {
  if (!last) return;
  $("#nothing").hidden = true;
  $("#drawn").hidden = false;
  show($("#drawn img"), last, 1024);
  $("#drawn .probability").textContent = percent(last.probability);
  $("#drawn .fraction").textContent = `weight ${last.weightText} of ${last.total} in total`;
}

async function drawMany() {
  if (!stopped) {
    stopped = true;
    return;
  }
  stopped = false;
  forgive();
  $("#draw-many").textContent = "Stop";
  const run = counts;
  let done = 0;
  try {
    for (; done < MANY && !stopped && run === counts; done++) {
      await once();
      chart();
    }
  } catch (error) {
    report(error);
  }
  $("#draw-many").textContent = `Draw ${MANY}`;
  if (run !== counts) return;
  stopped = true;
  showDrawn();
  $("#draw-status").textContent = `Drew ${done} ${done === 1 ? "picture" : "pictures"}.`;
}

/** Return the rows of the histogram: the most probable images, then one row for all others. */
function shares() {
  const drawn = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const sorted = [...exact.values()].sort((a, b) => b.probability - a.probability || (a.id < b.id ? -1 : 1));
  const single = sorted.length > ROWS ? ROWS - 1 : sorted.length;
  const rows = sorted.slice(0, single).map((image) => {
    return { image, count: counts.get(image.id) ?? 0, probability: image.probability };
  });
  if (single < sorted.length) {
    const count = drawn - rows.reduce((sum, row) => sum + row.count, 0);
    const probability = Math.max(0, 1 - rows.reduce((sum, row) => sum + row.probability, 0));
    rows.push({ others: sorted.length - single, count, probability });
  }
  return { rows, drawn };
}

function chart() {
  const { rows, drawn } = shares();
  const longest = Math.max(...rows.map((row) => Math.max(row.probability, drawn ? row.count / drawn : 0)), 0) || 1;
  $("#distribution table").hidden = rows.length === 0;
  $("#distribution-text").textContent = drawn ? summary(rows, drawn) : HINT;
  const body = $("#distribution tbody");
  while (body.rows.length > rows.length) body.deleteRow(-1);
  rows.forEach((row, index) => fill(body.rows[index] ?? body.appendChild(emptyRow()), row, drawn, longest));
}

const HINT = $("#distribution-text").textContent;

/** Describe how far the draws are from the exact distribution, by Pearson's test. Rare rows count as one. */
function summary(rows, drawn) {
  const draws = drawn === 1 ? "1 draw" : `${drawn} draws`;
  const classes = rows.map((row) => ({ count: row.count, expected: row.probability * drawn }));
  const frequent = classes.filter(({ expected }) => expected >= 5);
  const rare = classes.filter(({ expected }) => expected < 5);
  if (rare.length) {
    const sum = (name) => rare.reduce((total, entry) => total + entry[name], 0);
    frequent.push({ count: sum("count"), expected: sum("expected") });
  }
  if (frequent.length < 2 || frequent.some(({ expected }) => expected < 1)) return `${draws}; the marks are exact.`;
  const chi = frequent.reduce((total, { count, expected }) => total + (count - expected) ** 2 / expected, 0);
  return `${draws}; χ² is ${chi.toFixed(1)}, and chance makes it about ${frequent.length - 1}.`;
}

function emptyRow() {
  const track = make("div", { className: "track" });
  track.append(make("div", { className: "drawn" }), make("div", { className: "exact" }));
  return make(
    "tr",
    {},
    make("th", { scope: "row" }),
    make("td", { className: "chart" }, track),
    make("td"),
    make("td"),
  );
}

/** Fill a row. Its elements stay, so that the bars move from their old length to the new one. */
function fill(element, row, drawn, longest) {
  const [head, bar, seen, exactly] = element.cells;
  const share = drawn ? row.count / drawn : 0;
  if (head.dataset.id !== (row.image?.id ?? `${row.others}`)) {
    head.dataset.id = row.image?.id ?? `${row.others}`;
    head.replaceChildren(row.image ? new Image() : `${row.others} others`);
    if (row.image) show(head.firstChild, row.image, 256);
  }
  $(".drawn", bar).style.setProperty("--share", share / longest);
  $(".exact", bar).style.setProperty("--share", row.probability / longest);
  seen.textContent = drawn ? percent(share) : "–";
  exactly.textContent = percent(row.probability);
}

// -- uploads

/** Send a form by XMLHttpRequest, which reports the progress; fetch does not. */
function post(target, body, headers, progress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", target);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => progress(event.loaded / event.total);
    request.onerror = () => reject(refusal(0, ""));
    request.onload = () =>
      request.status < 300 ? resolve(request) : reject(refusal(request.status, request.responseText));
    request.send(body);
  });
}

/** Upload a file through the API. Return the image and whether it is new. */
async function send(form, file, progress) {
  const body = new FormData();
  body.append("label", form.elements.label.value);
  body.append("weight", form.elements.weight.value);
  if (form.elements.tags.value.trim()) body.append("tags", form.elements.tags.value);
  body.append("img", file, file.name);
  const answer = await post(new URL("upload", BASE), body, authorization(), progress);
  return { image: JSON.parse(answer.responseText), created: answer.status === 201 };
}

/** Upload a large file straight to S3, and wait for its image and its labels. */
async function sendDirectly(form, file, progress, say) {
  if (file.size > FILE_MAX) throw new Problem(413, `${file.name} has ${megabytes(file)} MB, but may have at most ${FILE_MAX / 1e6}; choose a smaller file.`);
  const { label, weight, tags } = form.elements;
  const named = tags.value.split(",").map((tag) => tag.trim()).filter(Boolean);
  const asked = { label: label.value, weight: Number(weight.value), tags: named };
  if (!REFUSED_IN_NAME.test(file.name) && [...file.name].length <= 255) asked.filename = file.name;
  const headers = { "Content-Type": "application/json" };
  const { upload_info: info, id } = await (await ask("POST", "uploads", { body: JSON.stringify(asked), headers })).json();
  const body = new FormData();
  for (const [name, value] of Object.entries(info.fields)) body.append(name, value);
  body.append("file", file);
  await post(info.url, body, {}, progress);
  say(`${file.name} has arrived and is being checked …`);
  for (let seconds = 0; ; seconds++) {
    const { state, image, labels, error } = await get(`uploads/${id}`);
    const ended = state === "recognised" || state === "failed" || error;
    if (image && (ended || seconds > PATIENCE)) return { image, created: true, labels: labels ?? [] };
    if (error) throw new Problem(error.status, error.detail);
    if (ended) throw new Problem(404, "The picture was deleted in the meantime.");
    if (seconds > PATIENCE) throw new Problem(503, `${file.name} has arrived, but is not checked yet; look for it later.`);
    await pause(1);
  }
}

async function upload(form) {
  const bar = $("progress", form);
  const files = [...form.elements.img.files];
  const say = (text) => ($("#upload-status").textContent = text);
  bar.hidden = false;
  let stored = 0;
  let last;
  try {
    for (const file of files) {
      say(`Uploading ${file.name} …`);
      const how = file.size > DIRECT_MIN ? sendDirectly : send;
      last = await how(form, file, (sent) => (bar.value = (stored + sent) / files.length), say);
      stored += 1;
    }
  } catch (error) {
    say(stored ? `${stored} of ${files.length} pictures are stored.` : "");
    throw error;
  } finally {
    bar.hidden = true;
    if (stored) await changed(last.image.label, true);
  }
  const seen = last.labels?.map(({ name, confidence }) => `${name} ${Math.round(confidence)} %`).join(", ");
  const shows = seen ? ` It shows: ${seen}.` : "";
  const one = last.created ? `The picture is stored and can be drawn.${shows}` : "This picture was already stored.";
  say(files.length === 1 ? one : `${files.length} pictures are stored and can be drawn.`);
  form.elements.img.value = "";
  preview();
}

function preview() {
  const files = [...$("#upload [type=file]").files];
  for (const shown of $("#chosen").children) URL.revokeObjectURL(shown.src);
  $("#chosen").replaceChildren(
    ...files.slice(0, 6).map((file) => make("img", { src: URL.createObjectURL(file), alt: file.name })),
  );
  $("#drop-text").hidden = files.length > 0;
}

/** Reload everything that shows a label's images. The list of labels may not have a new label yet. */
async function changed(name, added = false) {
  await loadLabels().catch(report);
  if (added && !labels.has(name)) labels.set(name, 1);
  await open(name).catch(report);
}

// -- the gallery

let cursor;
let turns = 0; // answers to older requests come too late and are ignored

async function browse(more = false) {
  const list = $("#gallery .grid");
  const status = $("#gallery-status");
  const { by, value } = $("#gallery form").elements;
  const turn = ++turns;
  if (!more) cursor = undefined;
  $("#more").hidden = true;
  const filter = by.value && value.value ? { [by.value]: value.value } : {};
  const page = await get(`images?${query({ label, ...filter, limit: TILES, cursor })}`);
  if (turn !== turns) return;
  if (!more) list.replaceChildren();
  const tiles = page.images.map(inGallery);
  list.append(...tiles);
  cursor = page.cursor;
  $("#more").hidden = !cursor;
  const shown = list.children.length;
  status.textContent = shown ? `${shown} shown${cursor ? ", and there are more" : ""}.` : "No pictures.";
  if (more) $("button", tiles[0])?.focus();
}

const inGallery = (image) => tile(image, `weight ${decimal(image.weight)}`, image.tags?.join(", ") || image.filename || "");

/** Make the list item of an image, with two lines about it. It opens the image's details. */
function tile(image, first, second) {
  const picture = make("img", { loading: "lazy" });
  show(picture, image, 256);
  const words = make("span", {}, make("b", { textContent: first }), make("small", { textContent: second }));
  const button = make("button", { type: "button", className: "tile" }, picture, words);
  button.onclick = () => attempt(button, () => inspect(image));
  const item = make("li", {}, button);
  item.dataset.id = image.id;
  return item;
}

// -- searches

let searches = 0; // answers to older searches come too late and are ignored

/** Show what a search finds. `wanted` says what was looked for: for a word, or like a picture. */
async function find(target, wanted) {
  const list = $("#search .grid");
  const status = $("#search-status");
  const turn = ++searches;
  list.replaceChildren();
  status.textContent = "Searching …";
  try {
    const { images } = await get(target);
    if (turn !== searches) return;
    list.append(...images.map(hit));
    status.textContent = `${counted(images)} ${wanted}${byWords(images)}.`;
  } catch (error) {
    if (turn === searches) status.textContent = "";
    throw error;
  }
}

const hit = (image) => tile(image, why(image), `similarity ${image.similarity.toFixed(2)}`);

/** Say by what a hit was found. */
function why({ by, matched }) {
  if (by === "words") return `${matched.length === 1 ? "word" : "words"}: ${matched.join(", ")}`;
  return by === "meaning" ? "by meaning" : "looks alike";
}

const counted = ({ length }) => (length === 1 ? "1 picture" : `${length || "No"} pictures`);

function byWords(images) {
  const words = images.filter(({ by }) => by === "words").length;
  return words ? `, ${words} by words` : "";
}

const findText = (q) => find(`search?${query({ q, k: HITS })}`, `for “${q}”`);

/** Show what is most like the image in the dialog, in the place of a search. */
async function findAlike() {
  $("#details").close();
  $("#search-title").focus();
  await find(`${path(inspected)}/similar?${query({ k: HITS })}`, `like ${describe(inspected)}`);
}

// -- one image

let inspected; // the image in the dialog, with the ETag of its state

async function inspect(image) {
  const response = await ask("GET", `${path(image)}/info`);
  present(await response.json(), response.headers.get("ETag"));
  $("#details").showModal();
}

function present(image, etag) {
  inspected = { ...image, etag };
  show($("#details > img"), image, 1024);
  const facts = {
    Probability: percent(image.probability),
    Size: `${image.width} × ${image.height} pixels, ${Math.ceil(image.bytes / 1000)} kB, ${image.contentType}`,
    Uploaded: new Date(image.created).toLocaleString(),
    "File name": image.filename,
    Tags: image.tags?.join(", "),
    "Best guess": image.labels?.map(({ name, confidence }) => `${name} ${Math.round(confidence)} %`).join(", "),
    Id: image.id,
  };
  const rows = Object.entries(facts).filter(([, text]) => text);
  $("#details dl").replaceChildren(...rows.flatMap(([name, textContent]) => [make("dt", {}, name), make("dd", { textContent })]));
  $("#details-title").textContent = describe(image);
  $("#details a").href = address(image);
  $("#details .trouble").textContent = "";
  $("#details [name=weight]").value = decimal(image.weight);
  $("#details [type=range]").value = image.weight;
}

/** Change the image in the dialog, if it is still as shown. The dialog shows an error. */
function change(button, method, options) {
  const trouble = $("#details .trouble");
  trouble.textContent = "";
  const headers = { "If-Match": inspected.etag, ...options?.headers };
  const action = async () => {
    try {
      await ask(method, path(inspected), { ...options, headers });
    } catch (error) {
      trouble.textContent = error.message;
      return;
    }
    $("#details").close();
    if (method === "DELETE") $(`#search [data-id="${inspected.id}"]`)?.remove();
    await changed(inspected.label);
    if (document.activeElement === document.body) ($(`[data-id="${inspected.id}"] button`) ?? $("#main")).focus();
  };
  return attempt(button, action);
}

// -- events

function couple(fieldset) {
  const [slider, number] = fieldset.querySelectorAll("input");
  slider.oninput = () => (number.value = slider.value);
  number.oninput = () => (slider.value = number.value);
}

function listen() {
  for (const fieldset of document.querySelectorAll("fieldset.weight")) couple(fieldset);
  $("#problem button").onclick = forgive;
  $("#choose").onsubmit = (event) => {
    event.preventDefault();
    run(() => open($("#label").value));
  };
  $("#draw-one").onclick = (event) => attempt(event.currentTarget, draw);
  $("#draw-many").onclick = drawMany;
  $("#forget").onclick = (event) => attempt(event.currentTarget, restart);
  $("#drawn .frame").onclick = (event) => attempt(event.currentTarget, () => inspect(last));
  listenToUploads();
  listenToSearches();
  listenToGallery();
  listenToDetails();
  $("#token").value = sessionStorage.getItem("token") ?? "";
  $("#token").oninput = (event) => sessionStorage.setItem("token", event.target.value.trim());
}

function listenToUploads() {
  const drop = $("#drop");
  $("#upload form").onsubmit = (event) => {
    event.preventDefault();
    attempt(event.submitter, () => upload(event.target));
  };
  $("[type=file]", drop).onchange = preview;
  drop.ondragover = (event) => {
    event.preventDefault();
    drop.classList.add("over");
  };
  drop.ondragleave = () => drop.classList.remove("over");
  drop.ondrop = (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    $("[type=file]", drop).files = event.dataTransfer.files;
    preview();
  };
}

function listenToSearches() {
  $("#search form").onsubmit = (event) => {
    event.preventDefault();
    attempt(event.submitter, () => findText(event.target.elements.q.value.trim()));
  };
  $("#alike").onclick = (event) => attempt(event.currentTarget, findAlike);
}

function listenToGallery() {
  const form = $("#gallery form");
  form.elements.by.onchange = ({ target }) => {
    form.elements.value.disabled = !target.value;
    if (!target.value) form.elements.value.value = "";
  };
  form.onsubmit = (event) => {
    event.preventDefault();
    run(() => browse());
  };
  $("#more").onclick = (event) => attempt(event.currentTarget, () => browse(true));
}

function listenToDetails() {
  $("[data-close]").onclick = () => $("#details").close();
  $("#details form").onsubmit = (event) => {
    event.preventDefault();
    const body = JSON.stringify({ weight: Number(event.target.elements.weight.value) });
    change(event.submitter, "PATCH", { body, headers: { "Content-Type": "application/json" } });
  };
  $("#delete").onclick = () => {
    $("#confirm").returnValue = "";
    $("#confirm").showModal();
  };
  $("#confirm").onclose = () => {
    if ($("#confirm").returnValue === "yes") change($("#delete"), "DELETE");
  };
}

/** Return the label that the address has after #, or nothing if that is not valid. */
function wantedLabel() {
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch {
    return ""; // such as #%
  }
}

listen();
attempt($("#draw-one"), async () => {
  const wanted = wantedLabel();
  if (wanted) choose(wanted);
  await loadLabels().catch(report);
  await open(wanted || labels.keys().next().value || "cat");
});
