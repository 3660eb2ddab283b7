// Who may write: signing in with a token; and the banners that say what does not work now.

import { BASE, token, when } from "./api.js";
import { $, day, top } from "./dom.js";
import { change, listen, readStatus, state } from "./state.js";

const WAITS = [2, 4, 8, 15, 30]; // seconds between two looks whether the service is back
const ANSWER = 10_000; // milliseconds until the service counts as still away
const CLOSED = {
  token: "Anyone can look and draw. You need a token to add or change pictures.",
  closed: "Adding and changing pictures is closed for a while. Anyone can look and draw.",
  disabled: "This service takes no pictures: its operator has not opened writes. Anyone can look and draw.",
};

const sheet = $("#signin");
const input = $("#token");
let waiting = []; // those who go on after the person has signed in, or has not
let opener = null;

function claims(text) {
  try {
    const parts = text.split(".");
    const bytes = Uint8Array.from(atob(parts[1].replaceAll("-", "+").replaceAll("_", "/")), (character) => character.charCodeAt(0));
    return parts.length === 3 && parts[2] ? JSON.parse(new TextDecoder().decode(bytes)) : null;
  } catch {
    return null;
  }
}

function wrong(text) {
  const known = claims(text);
  if (!known) return "This is not a token: a token has three parts separated by dots.";
  return known.exp * 1000 < Date.now() ? `${known.sub ? `${known.sub}’s` : "This"} token expired on ${day(known.exp * 1000)}. Ask for a new one.` : "";
}

/** Open the sheet. The promise is true as soon as the person has signed in. */
function signIn(error = "") {
  top().append(sheet);
  if (sheet.hidden) { // what is being typed stays
    opener = document.activeElement;
    sheet.hidden = false;
    input.value = token.get();
    say(error);
  }
  input.focus();
  return new Promise((resolve) => waiting.push(resolve));
}

function say(error) {
  const known = claims(token.get());
  const until = known?.exp ? ` until ${day(known.exp * 1000)}` : "";
  $("#token-error").textContent = error;
  input.ariaInvalid = error ? "true" : null;
  $("#out").hidden = !token.get();
  $("#sign-title").textContent = known && !error ? `Signed in${known.sub ? ` as ${known.sub}` : ""}${until}.` : "Sign in with a token";
}

export function close(signed) {
  sheet.hidden = true;
  document.body.append(sheet);
  for (const resolve of waiting.splice(0)) resolve(signed === true);
  opener?.focus();
  change();
}

const UNSIGNED = "Nothing was changed: you have not signed in.";
when.write = async () => {
  const writes = state.status?.writes ?? "open";
  if (writes === "token") return wrong(token.get()) && !(await signIn(token.get() && wrong(token.get()))) ? UNSIGNED : "";
  return writes === "open" ? "" : CLOSED[writes];
};
when.closed = () => readStatus().catch(() => {});
when.unauthorized = () => signIn(token.get() && (wrong(token.get()) || "The service does not accept this token."));

sheet.onsubmit = (event) => {
  event.preventDefault();
  const text = input.value.trim().replace(/^(bearer\s+)+/i, "");
  if (wrong(text)) return say(wrong(text));
  token.set(text);
  close(true);
};
$("#out").onclick = () => {
  token.set("");
  close();
};
$("[data-close]", sheet).onclick = close;
for (const button of [$("#sign"), $("#locked button")]) button.onclick = () => signIn(token.get() && wrong(token.get()));

listen(({ status }) => {
  const writes = status?.writes ?? "open";
  const who = !wrong(token.get()) && (claims(token.get()).sub ?? "Signed in");
  const signable = writes === "token";
  $("#sign span").textContent = who || "Sign in";
  $("#sign").hidden = !signable && !who;
  document.body.classList.toggle("readonly", writes === "closed" || writes === "disabled");
  $("#locked").hidden = writes === "open" || (signable && who !== false);
  $("#locked p").textContent = CLOSED[writes] ?? "";
  $("#locked button").hidden = !signable;
});

let looking = false;
let hurry;

/** Say that the service is away, and look until it is back; then show its present state. */
when.away = async () => {
  if (looking) return;
  looking = true;
  for (let tried = 0; looking; tried++) {
    $("#away").hidden = false;
    for (let left = WAITS[tried] ?? WAITS.at(-1); left > 0; left--) {
      $("#away span").textContent = `This is the last known state. Retrying in ${left} s.`;
      if (await new Promise((resolve) => (hurry = resolve) && setTimeout(resolve, 1000))) break;
    }
    const answer = await fetch(new URL("status", BASE), { cache: "no-store", signal: AbortSignal.timeout(ANSWER) }).catch(() => null);
    looking = !answer?.ok;
  }
  $("#away").hidden = true;
  dispatchEvent(new Event("back"));
};
$("#away button").onclick = () => hurry(true);
