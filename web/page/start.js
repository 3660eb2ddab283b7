// The page begins here: what is read first, the keys, and what the browser's own buttons do.

import { $, $$, report } from "./dom.js";
import { stopDrawing } from "./draw.js";
import "./box.js";
import "./embed.js";
import "./search.js";
import "./strip.js";
import { close as closeSheet, readStatus } from "./sign.js";
import { change, loadLabels, open, record, refresh, send, state, undoable, wanted } from "./state.js";
import { close as closeTray } from "./tray.js";

async function begin() {
  const status = readStatus(); // not waited for: the picture comes first
  await loadLabels();
  const at = wanted();
  await open({ ...at, label: at.label || (state.labels[0]?.label ?? "") }, "replace");
  await status;
  document.documentElement.dataset.ready = "true";
}

/** Show what the address says, after Back, Forward or a change by hand. */
async function follow() {
  const at = wanted();
  if (at.label === state.label && at.tag === state.tag) {
    change({ picture: at.picture });
    record("none");
  } else await open({ ...at, label: at.label || state.label }, "none");
}

const FIELDS = "input, textarea, select, button, a, summary, [tabindex='0'], [contenteditable]";

function key(event) {
  const { key: name, target, ctrlKey, metaKey, altKey } = event;
  const field = target.matches("input, select, textarea");
  if ((ctrlKey || metaKey) && name.toLowerCase() === "k") {
    event.preventDefault();
    $(".find input").focus();
  } else if ((ctrlKey || metaKey) && name.toLowerCase() === "z" && undoable() && !field) {
    event.preventDefault();
    $(".toast button").click();
  } else if (name === "Escape" && !$("dialog[open]")) {
    if (!$("#signin").hidden) closeSheet();
    else if (!stopDrawing() && !$(".tray").hidden) closeTray();
  } else if ((name === " " || name === "Enter") && !ctrlKey && !metaKey && !altKey && !target.matches(FIELDS) && !$("dialog[open]") && $("#signin").hidden && $(".tray").hidden) {
    event.preventDefault();
    if (!event.repeat && !$("#one").disabled) $("#one").click();
  }
}

addEventListener("keydown", key);
addEventListener("popstate", () => follow().catch(report));
addEventListener("pagehide", () => send(true));
addEventListener("back", () => (state.labels.length ? refresh().then(() => readStatus()) : begin()).catch(report));
for (const link of $$("[data-go]")) {
  link.onclick = (event) => {
    event.preventDefault();
    const to = $(`#${link.dataset.go}`);
    to.scrollIntoView();
    to.focus({ preventScroll: true });
  };
}
$(".skip").onclick = (event) => {
  event.preventDefault();
  $("#main").focus();
};
begin().catch(report);
