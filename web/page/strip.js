// The law as one strip of pictures on which the draws fall, and as a table of the most likely.

import { $, $$, h, list, number, percent, picture, pictures, ratio, rove, set, stop, titled } from "./dom.js";
import { slices, verdict } from "./law.js";
import { READ_MAX, change, listen, record, state } from "./state.js";

const FEW = 5; // pictures, for which the strip is higher
const HEIGHTS = [88, 128]; // pixels
const THUMBNAILS = 60;
const CELL_MIN = 4; // pixels of a draw
const MOST = 10;

function strip() {
  const { rows, drawn, last, label, tag, rest, all, gone, images } = state;
  const box = $(".strip");
  const few = rows.length <= FEW;
  $(".law").hidden = $(".two").hidden = $("#gallery").hidden = !images.length;
  if (!rows.length) return;
  const width = box.clientWidth;
  const parts = slices(rows, width).map((part) => ({
    ...part,
    key: `${part.of[0].id} ${part.of.length}`,
    count: part.of.reduce((sum, { count }) => sum + count, 0),
    expected: part.of.reduce((sum, { expected }) => sum + expected, 0),
  }));
  const singles = parts.filter(({ of }) => of.length === 1);
  const classes = [...parts];
  const left = (name) => drawn - parts.reduce((sum, part) => sum + part[name], 0);
  if (rest || left("expected") > 1e-6) classes.push({ count: left("count"), expected: left("expected") });
  if (rest > 1e-9) parts.push({ key: "rest", probability: rest, of: [], count: left("count"), expected: left("expected") });
  const cells = parts.every(({ count, probability }) => !count || (probability * width) / count >= CELL_MIN);
  const each = Math.max(1, Math.min(3, Math.floor(THUMBNAILS / parts.length)));

  set(box, { className: few ? "strip few" : "strip", "aria-label": `The law of ${label}` });
  list(box, parts, (part) => part.key, (part) => slice(part, each, width, HEIGHTS[Number(few)]), (element, part) => {
    const { of, probability, count, expected } = part;
    const hit = drawn > 0 && of.some(({ id }) => id === last?.id);
    const again = hit && element.dataset.draw !== `${drawn}` && element.classList.contains("hit");
    element.className = hit ? "hit" : "";
    if (hit && element.dataset.draw !== `${drawn}`) {
      if (again) element.getAnimations({ subtree: true }).forEach((one) => one.animationName === "fall" && one.play());
      element.dataset.draw = drawn;
    }
    element.classList.toggle("gone", of.length > 0 && of.every(({ id }) => gone.has(id)));
    set(element, { "--p": probability });
    set($(".bar", element), { className: cells && count ? "bar cells" : "bar", "--p": expected ? Math.min(2, count / expected) : 0, "--n": count });
    const share = drawn ? percent(count / drawn) : "–";
    $("b", element).textContent = percent(probability);
    $(".cap span", element).textContent = `drawn ${share}`;
    $("button", element).ariaLabel = `${words(part)}, drawn ${count} ${count === 1 ? "time" : "times"}`;
  });
  const stops = $$("button", box);
  if (!stops.some(({ tabIndex }) => tabIndex === 0)) stop(stops);

  const shown = images.length < rows.length ? rows.length : state.labels.find((one) => one.label === label)?.count;
  const total = all || tag ? rows.length : Math.max(rows.length, shown ?? 0);
  $("#law-title").replaceChildren(h("b", { textContent: `${pictures(total)} of ${label}${tag && ` with the tag ${tag}`}` }),
    ", as wide as they are likely", all ? "" : ` (${tag ? "of " : ""}the first ${number(READ_MAX)} were read)`);
  const [draws, sentence] = verdict(classes, drawn);
  $(".verdict").replaceChildren(h("b", { textContent: draws }), ` ${sentence}`);
  $(".legend .what").textContent = cells ? "one draw" : "drawn so far";
  const groups = parts.filter(({ of }) => of.length > 1);
  const grouped = groups.reduce((sum, { of }) => sum + of.length, 0);
  $(".shared").textContent = !groups.length ? "" : singles.length
    ? `The ${number(grouped)} least likely share ${groups.length === 1 ? "a slice" : `${groups.length} slices`}. Click one to see them in the gallery.`
    : `Each slice stands for about ${pictures(Math.round(grouped / groups.length))}.`;
}

function words({ of, probability, key }) {
  if (key === "rest") return `More that were not read, ${percent(probability)}`;
  return of.length === 1 ? `${titled(of[0])}, ${percent(probability)}` : `${pictures(of.length)}, ${percent(probability)} together`;
}

function slice(part, each, width, height) {
  const { of, probability } = part;
  const wide = of.length === 1 ? (probability * width) / (ratio(of[0]) * height) : 0;
  const film = wide > 3.2; // a slice far wider than its picture shows it several times
  const step = Math.ceil(of.length / each);
  const frames = film ? Array(Math.ceil(wide / 2)).fill(of[0]) : of.filter((_, place) => place % step === 0).slice(0, each);
  const button = h("button", { className: film ? "film" : "" }, ...frames.map((image) => picture(image, 256)));
  button.onclick = () => {
    if (of.length === 1) return show(of[0]);
    dispatchEvent(new CustomEvent("gallery", { detail: of[0]?.id ?? state.rows.at(-1).id }));
  };
  return h(of.length ? "li" : "li.rest", {}, h("span.bar"), button, h("span.cap", {}, h("b"), h("span")));
}

function show(image) {
  change({ picture: image.id });
  record();
}

function most() {
  const { rows, drawn } = state;
  const top = rows.slice(0, MOST);
  const longest = (top[0]?.probability ?? 1) * 1.15;
  list($(".most tbody"), top, ({ id }) => id, row, (element, { probability, count }) => {
    const share = drawn ? count / drawn : 0;
    const [, bar, seen, exactly] = element.cells;
    set($(".new", bar), { "--p": Math.min(1, share / longest) });
    set($(".old", bar), { "--p": probability / longest });
    seen.textContent = drawn ? percent(share) : "–";
    exactly.textContent = percent(probability);
  });
}

const row = (image) =>
  h("tr", {},
    h("th", { scope: "row" }, picture(image, 256, { width: 44, height: 32 }), h("span", { textContent: titled(image) })),
    h("td.chart", {}, h("div.track", {}, h("i.new"), h("i.old"))), h("td"), h("td"));

listen(strip);
listen(most);
rove($(".strip"), "button");
new ResizeObserver(() => change()).observe($(".strip"));
