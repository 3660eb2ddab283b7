// Elements, and words for numbers and pictures.

import { address } from "./api.js";

export const $ = (selector, root = document) => root.querySelector(selector);
export const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

/** Set properties, attributes (`aria-…`) and style variables (`--…`) of an element. */
export function set(element, values) {
  for (const [name, value] of Object.entries(values)) {
    if (name.startsWith("--")) element.style.setProperty(name, value);
    else if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  return element;
}

/** Make an element: a tag with classes, such as `button.link`, its values and its children. */
export function h(tag, values = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const element = document.createElement(name);
  element.className = classes.join(" ");
  if (name === "button") element.type = "button";
  element.append(...children);
  return set(element, values);
}

export const text = (tag, textContent, values) => h(tag, { textContent, ...values });
export const link = (words, onclick) => text("button.link", words, { onclick });

export function icon(name) {
  const svg = $("svg.i").cloneNode(true);
  svg.firstChild.setAttribute("href", `#i-${name}`);
  return svg;
}

/** Show one child for each item, in order. A child stays as long as its key, so that bars move and focus stays. */
export function list(parent, items, key, make, update = () => {}) {
  const old = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  const children = items.map((item) => {
    const name = String(key(item));
    const child = old.get(name) ?? set(make(item), { "data-key": name });
    old.delete(name);
    update(child, item);
    return child;
  });
  for (const child of old.values()) child.remove();
  children.forEach((child, place) => parent.children[place] === child || parent.insertBefore(child, parent.children[place]));
}

export const stop = (all, one = all[0]) => all.forEach((each) => (each.tabIndex = each === one ? 0 : -1));

/** Return whether a key is the browser's own, such as Alt and an arrow. */
export const held = ({ altKey, ctrlKey, metaKey }) => altKey || ctrlKey || metaKey;

/** Let the arrows, Home and End move the focus among these. */
export function rove(parent, selector, then = () => {}) {
  parent.onkeydown = (event) => {
    const all = $$(selector, parent);
    const here = all.indexOf(document.activeElement);
    const to = { ArrowLeft: here - 1, ArrowRight: here + 1, Home: 0, End: -1 }[event.key];
    if (to === undefined || held(event)) return;
    event.preventDefault();
    const next = all.at(to % all.length);
    stop(all, next);
    next.focus();
    then(next);
  };
}

/** Show a picture with 256, 512 or 1024 pixels. A refused thumbnail is asked for again, then the whole picture. */
export function picture(image, size, values = {}) {
  const element = h("img", { alt: "", width: image.width, height: image.height, ...values, src: address(image, size) });
  let tries = 0;
  element.onerror = () => {
    if (++tries > 4) {
      addEventListener("back", () => (tries = 0, element.src = address(image, size)), { once: true });
      return element.dispatchEvent(new Event("gone"));
    }
    const whole = tries > 3 && image.bytes < 4e6; // a larger one comes from elsewhere
    setTimeout(() => (element.src = address(image, whole ? "" : size)), 700 * tries * (1 + Math.random()));
  };
  return element;
}

export function couple(root) {
  const [slider, number] = $$(".weight input", root);
  slider.oninput = () => (number.value = slider.value);
  number.oninput = () => (slider.value = number.value);
}

export const titled = ({ filename, id }) => filename || `Picture ${id.split("/")[1].slice(0, 8)}`;
export const percent = (share) => (Number.isNaN(share) ? "–" : share > 0 && share < 0.0005 ? "<0.1%" : `${(share * 100).toFixed(1)}%`);
export const decimal = (weight) => weight.toFixed(9).replace(/\.?0+$/, "");
export const counted = (count, one = "picture") => `${count.toLocaleString("en")} ${one}${count === 1 ? "" : "s"}`;
export const size = (bytes) => (bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(Math.ceil(bytes / 1e5) / 10).toFixed(1)} MB`);
export const day = (date) => new Date(date).toLocaleString("en-GB", { dateStyle: "long", timeStyle: "short" });
export const tagsOf = (typed) => [...new Set(typed.split(",").map((tag) => tag.trim().toLowerCase()).filter(Boolean))];

/** Copy a text. The button says so for two seconds. */
export async function copy(button, copied) {
  try {
    await navigator.clipboard.writeText(copied);
  } catch {
    return toast(`The browser allows no copy here. Select the text instead: ${copied}`);
  }
  const words = $("span", button);
  const before = (words.dataset.before ??= words.textContent);
  words.textContent = "Copied";
  setTimeout(() => (words.textContent = before), 2000);
}

/** Run what may take the focused element away. The focus then goes to the title of its room. */
export function keepFocus(action) {
  const active = document.activeElement;
  const room = active.closest("dialog, .tray, section, main");
  action();
  if (active !== document.body && !active.checkVisibility()) ((room && $("h2[tabindex]", room)) ?? room?.closest("[tabindex]") ?? $("#main")).focus({ preventScroll: true });
}

/** Run an action once at a time. Its button is busy meanwhile, but keeps its focus. */
export async function attempt(button, action) {
  if (button.ariaBusy === "true") return;
  button.ariaBusy = "true";
  await action().catch(report);
  button.ariaBusy = "false";
}

export const top = () => $("dialog[open]") ?? document.body;

let timer;

export function hush() {
  clearTimeout(timer);
  $(".toast").hidePopover();
}

/** Say something, with a button. It goes by itself only after some seconds, if any. */
export function toast(said, words = "Close", action = () => {}, seconds = 0) {
  const element = $(".toast");
  hush();
  top().append(element);
  element.showPopover();
  $("p", element).textContent = said;
  const onclick = () => keepFocus(() => (hush(), action()));
  set($("button", element), { textContent: words, onclick });
  if (seconds) timer = setTimeout(() => keepFocus(hush), seconds * 1000);
}

/** Tell a person what went wrong. Of a service that is away, the banner tells. */
export function report(error) {
  if (error.status === undefined) console.error(error);
  if (error.status !== 0) toast(error.message);
}
