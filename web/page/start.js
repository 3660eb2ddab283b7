// The page begins here: what is read first, the keys, and what the browser's own buttons do.

import { when } from "./api.js";
import { $, $$, report } from "./dom.js";
import { stopDrawing } from "./draw.js";
import "./box.js";
import "./embed.js";
import "./search.js";
import "./strip.js";
import { close as closeSheet } from "./sign.js";
import { change, loadLabels, open, readStatus, record, refresh, sendAtOnce, state, undo, wanted, wish } from "./state.js";
import { close as closeTray } from "./tray.js";

async function begin() {
  const status = readStatus();
  await Promise.all([loadLabels(), status.catch(() => {})]); // its banner comes before what it would push down
  const at = wanted();
  await open({ ...at, label: at.label || state.labels[0]?.label }, "replace");
  await status;
  document.documentElement.dataset.ready = "true";
}

/** Begin. If the service refuses that, it counts as away, and is asked again. */
function first() {
  begin().catch((error) => {
    report(error);
    if (error.status && !state.ready) when.away();
  });
}

async function follow() {
  const at = wanted();
  if (at.label !== wish.label || at.tag !== wish.tag) return open({ ...at, label: at.label || state.label }, "none");
  change({ picture: at.picture });
  record("none");
}

function key(event) {
  const { target } = event;
  const command = (event.ctrlKey || event.metaKey) && !event.shiftKey;
  const name = command ? `Ctrl ${event.key.toLowerCase()}` : event.key;
  const free = !$("dialog[open]") && $("#signin").hidden && $(".tray").hidden && !target.closest("input, select, button, a, [tabindex='0']");
  if (name === "Escape" && !$("dialog[open]")) {
    if (!$("#signin").hidden) closeSheet();
    else if (!stopDrawing() && !$(".tray").hidden) closeTray();
  } else if (name === "Ctrl k") $(".find input").focus();
  else if (name === "Ctrl z" && !target.matches("input") && undo()) $("#main").focus({ preventScroll: true });
  else if ((name === " " || name === "Enter") && free) {
    if (!event.repeat) $("#one").click();
  } else return;
  event.preventDefault();
}

addEventListener("keydown", key);
addEventListener("popstate", () => follow().catch(report));
addEventListener("pagehide", sendAtOnce);
addEventListener("back", () => (state.ready ? Promise.all([refresh(), readStatus()]).catch(report) : first()));
for (const element of $$("[data-go]")) {
  element.onclick = (event) => {
    event.preventDefault();
    const to = $(`#${element.dataset.go}`);
    to.scrollIntoView();
    to.focus({ preventScroll: true });
  };
}
first();
