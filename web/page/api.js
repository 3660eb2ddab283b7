// Requests to the API. All go to the host that this file came from; large files go to S3.

const TRIES = 6; // of a request that gets 429 or 503
const WAIT_MAX = 30; // seconds; a service that asks for more is closed
const TIMEOUT = 60_000; // milliseconds, but for uploads
const PATIENCE = 120; // seconds for a file that was sent to S3
const REFUSED_IN_NAME = /[/\\\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069]/u;

export const BASE = new URL("../../", import.meta.url);
export const path = (image) => `images/${image.id}`;
export const address = (image, size) => new URL(`${path(image)}${size ? `?size=${size}` : ""}`, BASE).href;
export const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

/** What the page does then: `write` says why there can be none, and `unauthorized` whether to try again. */
export const when = { away: () => {}, closed: () => {}, write: async () => "", unauthorized: async () => false };

let storage = {}; // where the browser stores nothing, the token is kept until the page goes
try {
  storage = sessionStorage;
} catch {}
export const token = { get: () => storage.token ?? "", set: (text) => (storage.token = text) };

/** What a person has to know. Status 0 is no answer at all. */
export class Problem extends Error {
  constructor(detail, status = 422, existing) {
    super(detail || `The service answered ${status}. Try again in a moment.`);
    Object.assign(this, { status, existing });
  }
}

function problemOf({ status, text }) {
  try {
    const { detail, existing } = JSON.parse(text);
    return new Problem(detail, status, existing);
  } catch {
    return new Problem("", status); // not from petAPI
  }
}

/** Send a request. Fetch would not report its progress. */
function send(method, url, { json, body = json && JSON.stringify(json), headers = {}, progress }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(method, url);
    if (json) request.setRequestHeader("Content-Type", "application/json");
    for (const [name, value] of Object.entries({ ...headers, ...authorization(method, url) })) request.setRequestHeader(name, value);
    request.upload.onprogress = progress && (({ loaded, total }) => progress(loaded / total));
    request.onerror = request.ontimeout = reject;
    if (!progress) request.timeout = TIMEOUT;
    request.onload = () => resolve({ status: request.status, text: request.responseText, header: (name) => request.getResponseHeader(name) });
    request.send(body);
  });
}

const authorization = (method, { href }) =>
  method !== "GET" && token.get() && href.startsWith(BASE.href) ? { Authorization: `Bearer ${token.get()}` } : {};

/** Return the answer, or throw a Problem. A busy service is asked again; without a token, the person is asked for one. */
export async function ask(method, target, options = {}) {
  const url = new URL(target, BASE);
  const write = method !== "GET" && target !== "search";
  const no = write && (await when.write());
  if (no) throw new Problem(no, 401);
  for (let tried = 1, asked = false; ; tried++) {
    const used = token.get();
    const answer = await send(method, url, options).catch(() => null);
    if (!answer) {
      when.away();
      throw new Problem("petAPI is not responding.", 0);
    }
    const { status } = answer;
    if (status < 300) return answer;
    if (status === 401 && write && !asked && (used !== token.get() || (await when.unauthorized()))) asked = true;
    else if (tried === TRIES || ![429, 503].includes(status)) throw problemOf(answer);
    else {
      const seconds = Number(answer.header("Retry-After")) || 1;
      if (seconds > WAIT_MAX) {
        when.closed();
        throw problemOf(answer);
      }
      options.waiting?.(seconds);
      await pause(seconds);
    }
  }
}

export const get = async (target) => JSON.parse((await ask("GET", target)).text);
export const query = (values) => new URLSearchParams(Object.entries(values).filter(([, value]) => value !== "" && value != null)).toString();

export function deleteAtOnce(image) {
  const url = new URL(path(image), BASE);
  fetch(url, { method: "DELETE", keepalive: true, headers: authorization("DELETE", url) });
}

/** Read the pages of a list up to `most` entries. Return them, and whether that was all. */
export async function pages(target, values, most) {
  const found = [];
  let page;
  do {
    page = await get(`${target}?${query({ ...values, limit: 100, cursor: page?.cursor })}`);
    found.push(...page[target]);
  } while (page.cursor && found.length < most);
  return { found, all: !page.cursor };
}

/** Upload a file. Return the image, and whether it is new. `said` hears how far it is, and what a busy service asks. */
export async function upload({ file, label, tags, weight }, formMax, said) {
  const options = { progress: said, waiting: (seconds) => said(null, seconds) };
  if (file.size + 4096 > formMax) return uploadDirectly({ file, label, tags, weight }, options);
  const body = new FormData();
  body.append("label", label);
  body.append("weight", weight);
  if (tags.length) body.append("tags", tags);
  body.append("img", file, file.name);
  const { text, status } = await ask("POST", "upload", { ...options, body });
  return { image: JSON.parse(text), created: status === 201 };
}

/** Send a file that is too large for the API to S3, and wait until it is checked. */
async function uploadDirectly({ file, label, tags, weight }, { progress, waiting }) {
  const json = { label, weight: Number(weight), tags };
  if (!REFUSED_IN_NAME.test(file.name) && [...file.name].length <= 255) json.filename = file.name;
  const { upload_info: info, id } = JSON.parse((await ask("POST", "uploads", { waiting, json })).text);
  const body = new FormData();
  for (const [name, value] of Object.entries(info.fields)) body.append(name, value);
  body.append("file", file);
  await ask("POST", info.url, { progress, waiting, body });
  for (let seconds = 0; seconds < PATIENCE; seconds++) {
    const { image, error } = await get(`uploads/${id}`);
    if (image) return { image, created: true };
    if (error) throw new Problem(error.detail, error.status, error.existing);
    await pause(1);
  }
  throw new Problem("It has arrived, but is not checked yet. Look for it later.", 503);
}
