// Elements, and words for numbers and pictures.

import { address } from "./api.js";

export const $ = (selector, root = document) => root.querySelector(selector);
export const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

/** Set properties, attributes (`aria-…`, `data-…`) and style variables (`--…`) of an element; null removes one. */
export function set(element, values) {
  for (const [name, value] of Object.entries(values)) {
    if (name.startsWith("--")) element.style.setProperty(name, value);
    else if (name in element) element[name] = value;
    else if (value === null) element.removeAttribute(name);
    else element.setAttribute(name, value);
  }
  return element;
}

/** Make an element: a tag with classes, such as `button.link`, its values and its children. */
export function h(tag, values = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const element = document.createElement(name);
  if (classes.length) element.className = classes.join(" ");
  if (name === "button") element.type = "button";
  element.append(...children);
  return set(element, values);
}

export function icon(name) {
  const [svg, use] = ["svg", "use"].map((tag) => document.createElementNS("http://www.w3.org/2000/svg", tag));
  svg.setAttribute("class", "i");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

/** Show one child for each item, in their order. A child stays as long as its key, so that bars move and focus stays. */
export function list(parent, items, key, make, update = () => {}) {
  const keys = items.map((item) => String(key(item)));
  const kept = new Map();
  for (const child of [...parent.children]) {
    if (keys.includes(child.dataset.key)) kept.set(child.dataset.key, child);
    else child.remove();
  }
  items.forEach((item, place) => {
    const child = kept.get(keys[place]) ?? set(make(item), { "data-key": keys[place] });
    update(child, item, place);
    if (parent.children[place] !== child) parent.insertBefore(child, parent.children[place] ?? null);
  });
}

/** Let the arrows, Home and End move the focus among these; the list is one stop of Tab. */
export function rove(parent, selector, also = () => {}) {
  parent.addEventListener("keydown", (event) => {
    const all = $$(selector, parent);
    const here = all.indexOf(document.activeElement);
    const to = { ArrowLeft: here - 1, ArrowRight: here + 1, Home: 0, End: all.length - 1 }[event.key];
    if (here < 0 || to === undefined) return;
    event.preventDefault();
    const next = all[(to + all.length) % all.length];
    stop(all, next);
    next.focus();
    also(next);
  });
}

/** Make one of these elements the stop of Tab. */
export const stop = (all, one = all[0]) => all.forEach((each) => (each.tabIndex = each === one ? 0 : -1));

/** Show a picture with 256, 512 or 1024 pixels. A refused thumbnail is asked for again, then the whole picture. */
export function picture(image, size, values = {}) {
  const element = h("img", { alt: "", width: image.width, height: image.height, decoding: "async", ...values });
  let tries = 0;
  element.onerror = () => {
    if (++tries > 3) element.onerror = null;
    setTimeout(() => (element.src = address(image, tries > 3 ? "" : size)), 700 * tries * (1 + Math.random()));
  };
  element.src = address(image, size);
  return element;
}

/** Couple a slider with the exact number beside it. */
export function couple(root) {
  const [slider, number] = $$(".weight input", root);
  slider.oninput = () => (number.value = slider.value);
  number.oninput = () => (slider.value = number.value);
}

export const titled = (image) => image.filename || `Picture ${image.id.split("/")[1].slice(0, 8)}`;
export const ratio = (image) => image.width / image.height;
export const percent = (share) => (share > 0 && share < 0.0005 ? "<0.1%" : `${(share * 100).toFixed(1)}%`);
/** The weight without an exponent. */
export const decimal = (weight) => weight.toFixed(9).replace(/\.?0+$/, "");
export const number = (value) => value.toLocaleString("en");
export const pictures = (count) => `${number(count)} ${count === 1 ? "picture" : "pictures"}`;
export const size = (bytes) => (bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(Math.ceil(bytes / 1e5) / 10).toFixed(1)} MB`);
/** The tags that a person has typed. */
export const tagsOf = (text) => text.split(",").map((tag) => tag.trim().toLowerCase()).filter(Boolean);

/** Copy a text. The button says so for two seconds. */
export async function copy(button, text) {
  await navigator.clipboard.writeText(text);
  const words = $("span", button);
  const before = (words.dataset.before ??= words.textContent);
  words.textContent = "Copied";
  setTimeout(() => (words.textContent = before), 2000);
}

/** Run an action once at a time. Its button is busy meanwhile, but keeps its focus. */
export async function attempt(button, action) {
  if (button.ariaBusy === "true") return;
  button.ariaBusy = "true";
  await action().catch(report);
  button.ariaBusy = "false";
}

let timer;

/** Say something at the foot of the page, with a button. It goes by itself only after these seconds, if any. */
export function toast(text, words = "Close", action = () => {}, seconds = 0, after = () => {}) {
  const element = $(".toast");
  const end = (what) => () => {
    clearTimeout(timer);
    element.hidePopover();
    what();
  };
  clearTimeout(timer);
  element.hidePopover();
  ($("dialog[open]") ?? document.body).append(element); // what a modal dialog does not contain is inert
  element.showPopover();
  $("p", element).textContent = text;
  set($("button", element), { textContent: words, onclick: end(action) });
  if (seconds) timer = setTimeout(end(after), seconds * 1000);
}

/** Tell a person what went wrong. The banner tells already that the service is away. */
export function report(error) {
  if (error.status === undefined) console.error(error);
  if (error.status !== 0) toast(error.message);
}
