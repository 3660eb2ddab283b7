// Requests to the API, and nothing else of the page. All go to the host that this file came from.

const TRIES = 6; // of a request that gets 429 or 503
const WAIT_MAX = 30; // seconds, even if Retry-After says more
const PATIENCE = 120; // seconds for a file that was sent directly

export const BASE = new URL("../../", import.meta.url);
export const path = (image) => `images/${image.id}`;
export const address = (image, size) => new URL(`${path(image)}${size ? `?size=${size}` : ""}`, BASE).href;
export const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

/** What the page does when the service is away, and when it wants a token: true means that there is a new one. */
export const when = { away: () => {}, missing: () => false, unauthorized: async () => false };

export const token = {
  get: () => sessionStorage.getItem("token") ?? "",
  set: (text) => (text ? sessionStorage.setItem("token", text) : sessionStorage.removeItem("token")),
};

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

/** Send a request; `json` is its body, or `body` with the reports of `progress`. Return status, text and headers. */
function send(method, url, { json, body = json && JSON.stringify(json), headers = {}, progress, keepalive }) {
  const own = url.href.startsWith(BASE.href); // a form goes to S3 without the token
  const all = { ...headers };
  if (json) all["Content-Type"] = "application/json";
  if (own && method !== "GET" && token.get()) all.Authorization = `Bearer ${token.get()}`;
  if (!progress) {
    return fetch(url, { method, body, headers: all, cache: "no-store", keepalive }).then(async (answer) => {
      return { status: answer.status, text: await answer.text(), header: (name) => answer.headers.get(name) };
    });
  }
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest(); // fetch does not report the progress
    request.open(method, url);
    for (const [name, value] of Object.entries(all)) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded, total }) => progress(loaded / total);
    request.onerror = request.onabort = reject;
    request.onload = () =>
      resolve({ status: request.status, text: request.responseText, header: (name) => request.getResponseHeader(name) });
    request.send(body);
  });
}

/** Return the answer, or throw a Problem. A busy service is asked again, a missing token is asked for once. */
export async function ask(method, target, options = {}) {
  const write = method !== "GET" && target !== "search";
  if (write && when.missing() && !(await when.unauthorized())) throw new Problem("Nothing was changed: you have not signed in.", 401);
  for (let tried = 1, asked = false; ; tried++) {
    const answer = await send(method, new URL(target, BASE), options).catch(() => null);
    if (!answer) {
      when.away();
      throw new Problem("petAPI is not responding.", 0);
    }
    if (answer.status < 300) return answer;
    const problem = problemOf(answer);
    if (answer.status === 401 && write && !asked && (await when.unauthorized(problem.message))) {
      asked = true;
      continue;
    }
    if (tried === TRIES || ![429, 503].includes(answer.status)) throw problem;
    const seconds = Math.min(Number(answer.header("Retry-After")) || 1, WAIT_MAX);
    options.waiting?.(seconds);
    await pause(seconds);
  }
}

export const get = async (target) => JSON.parse((await ask("GET", target)).text);
export const query = (values) =>
  new URLSearchParams(Object.entries(values).filter(([, value]) => value !== "" && value != null)).toString();

/** Read the pages of a list up to `most` entries. Return them, and whether that was all. */
export async function pages(target, values, name, most, seen = () => {}) {
  const found = [];
  let cursor;
  do {
    const page = await get(`${target}?${query({ ...values, limit: 100, cursor })}`);
    found.push(...page[name]);
    cursor = page.cursor;
    seen(found);
  } while (cursor && found.length < most);
  return { found, all: !cursor };
}

/** Upload a file. Return the image and whether it is new. `said` tells how far it is. */
export async function upload({ file, label, tags, weight }, formMax, said) {
  const options = { progress: said, waiting: (seconds) => said(null, seconds) };
  if (file.size + 4096 > formMax) return uploadDirectly({ file, label, tags, weight }, options);
  const body = new FormData();
  body.append("label", label);
  body.append("weight", weight);
  if (tags.length) body.append("tags", tags.join(","));
  body.append("img", file, file.name);
  const answer = await ask("POST", "upload", { ...options, body });
  return { image: JSON.parse(answer.text), created: answer.status === 201 };
}

const REFUSED_IN_NAME = /[/\\\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069]/u;

/** Send a file that is too large for the API to S3, and wait until it is checked. */
async function uploadDirectly({ file, label, tags, weight }, options) {
  const json = { label, weight: Number(weight), tags };
  if (!REFUSED_IN_NAME.test(file.name) && [...file.name].length <= 255) json.filename = file.name;
  const { upload_info: info, id } = JSON.parse((await ask("POST", "uploads", { ...options, progress: undefined, json })).text);
  const body = new FormData();
  for (const [name, value] of Object.entries(info.fields)) body.append(name, value);
  body.append("file", file);
  await ask("POST", info.url, { ...options, body });
  for (let seconds = 0; seconds < PATIENCE; seconds++) {
    const { image, error } = await get(`uploads/${id}`);
    if (image) return { image: await get(`${path(image)}/info`), created: true };
    if (error) throw new Problem(error.detail, error.status, error.existing);
    await pause(1);
  }
  throw new Problem("It has arrived, but is not checked yet. Look for it later.", 503);
}
