// Who may write: signing in with a token, and the banners that say what does not work now.

import { BASE, get, token, when } from "./api.js";
import { $, set } from "./dom.js";
import { change, listen, state } from "./state.js";

const WAITS = [2, 4, 8, 15, 30]; // seconds between two looks whether the service is back
const CLOSED = {
  token: "Anyone can look and draw. You need a token to add or change pictures.",
  closed: "Adding and changing pictures is closed for a while. Anyone can look and draw.",
  disabled: "This service takes no pictures: its operator has opened writes to nobody. Anyone can look and draw.",
};
const NO_TOKEN = "This is not a token: a token has three parts separated by dots.";

const sheet = $("#signin");
let waiting = []; // those who go on after the person has signed in, or has not
let opener = null;

/** Return the claims of a token, or nothing if it is none. */
function claims(text) {
  try {
    const [, middle, last, ...more] = text.split(".");
    if (!last || more.length) return null;
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(middle.replace(/[-_]/g, (c) => (c === "-" ? "+" : "/"))), (c) => c.charCodeAt(0))));
  } catch {
    return null;
  }
}

const day = (seconds) => new Date(seconds * 1000).toLocaleString("en-GB", { dateStyle: "long", timeStyle: "short" });

/** Say what is wrong with a token, as far as the page can know. */
function wrong(text) {
  const known = claims(text);
  if (!known) return NO_TOKEN;
  return known.exp * 1000 < Date.now() ? `${known.sub ?? "This"}'s token expired on ${day(known.exp)}. Ask for a new one.` : "";
}

/** Open the sheet. The promise is true as soon as the person has signed in. */
export function signIn(error = "") {
  if (sheet.hidden) opener = document.activeElement;
  sheet.hidden = false;
  say(error);
  $("#token").value = token.get();
  $("#token").focus();
  return new Promise((resolve) => waiting.push(resolve));
}

function say(error) {
  const known = claims(token.get());
  $("#token-error").textContent = error;
  set($("#token"), { ariaInvalid: error ? "true" : null });
  $("#out").hidden = !token.get();
  $(".hint", sheet).hidden = Boolean(known && !error);
  $("#sign-title").textContent = known && !error ? `Signed in as ${known.sub}${known.exp ? ` until ${day(known.exp)}` : ""}.` : "Sign in with a token";
}

export function close(signed = false) {
  sheet.hidden = true;
  for (const resolve of waiting.splice(0)) resolve(signed === true);
  if (opener?.isConnected) opener.focus();
}

when.missing = () => state.status?.writes === "token" && !token.get();
when.unauthorized = () => signIn(token.get() && (wrong(token.get()) || "The service does not accept this token."));

sheet.onsubmit = (event) => {
  event.preventDefault();
  const text = $("#token").value.trim().replace(/^(bearer\s+)+/i, "");
  const error = wrong(text);
  if (error) return say(error);
  token.set(text);
  close(true);
  change();
};
$("#out").onclick = () => {
  token.set("");
  close();
  change();
};
$("[data-close]", sheet).onclick = close;
for (const button of [$("#sign"), $("#locked button")]) button.onclick = () => signIn();

listen(({ status }) => {
  const writes = status?.writes ?? "open";
  const who = claims(token.get())?.sub;
  $("#sign").hidden = writes === "open" && !who;
  $("#sign span").textContent = who ?? "Sign in";
  $("#add").disabled = writes === "closed" || writes === "disabled";
  $("#locked").hidden = writes === "open" || (writes === "token" && Boolean(who));
  $("#locked p").textContent = CLOSED[writes] ?? "";
  $("#locked button").hidden = writes !== "token";
});

// -- the service is away

let looking = false;
let hurry = () => {};

/** Say that the service is away, and look until it is back; then show its present state. */
when.away = async () => {
  if (looking) return;
  looking = true;
  for (let tried = 0; looking; tried++) {
    const seconds = WAITS[Math.min(tried, WAITS.length - 1)];
    const end = Date.now() + seconds * 1000;
    $("#away").hidden = false;
    while (Date.now() < end) {
      $("#away span").textContent = `This is the last known state. Retrying in ${Math.ceil((end - Date.now()) / 1000)} s.`;
      if (await new Promise((resolve) => ((hurry = () => resolve(true)), setTimeout(resolve, 1000)))) break;
    }
    looking = !(await fetch(new URL("status", BASE), { cache: "no-store" }).then(({ ok }) => ok).catch(() => false));
  }
  $("#away").hidden = true;
  dispatchEvent(new Event("back"));
};
$("#away button").onclick = () => hurry();

/** Read what the service takes and offers. */
export async function readStatus() {
  change({ status: await get("status") });
}
