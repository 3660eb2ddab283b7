// The law as one strip of pictures on which the draws fall, and as a table of the most likely.

import { $, $$, counted, h, list, percent, picture, rove, set, stop, text, titled } from "./dom.js";
import { slices, verdict } from "./law.js";
import { change, labelled, listen, look, state } from "./state.js";

const FEW = 5; // pictures, for which the strip is higher
const THUMBNAILS = 60;
const CELL_MIN = 4; // pixels of a draw
const FRAMES = 12; // of film
const MOST = 10;
const box = $(".strip");
const sum = (all, name) => all.reduce((total, one) => total + one[name], 0);

function strip({ rows, drawn, last, label, tag, rest, all, gone, images }) {
  $(".law").hidden = $(".two").hidden = $("#gallery").hidden = !images.length;
  $("#law-title").textContent = rows.length ? "" : `No picture of ${label} has the tag ${tag}.`;
  if (!rows.length) return box.replaceChildren();
  const width = box.clientWidth;
  const few = rows.length <= FEW;
  const parts = slices(rows, width).map((part) => ({ ...part, count: sum(part.of, "count"), expected: sum(part.of, "expected") }));
  const others = { of: [], probability: rest, count: drawn - sum(parts, "count"), expected: drawn - sum(parts, "expected") };
  const classes = rest || others.expected > 1e-6 ? [...parts, others] : parts; // of the deleted, too
  const groups = parts.filter(({ of }) => of.length > 1);
  const shown = rest > 1e-9 ? [...parts, others] : parts;
  const cells = shown.every(({ count, probability }) => !count || (probability * width) / count >= CELL_MIN);
  const frames = Math.max(1, Math.min(3, Math.floor(THUMBNAILS / parts.length)));

  box.classList.toggle("few", few);
  list(box, shown, ({ of }) => `${of[0]?.id} ${of.length}`, (part) => slice(part, frames, width / (few ? 128 : 88)), (element, part) => {
    const { of, probability, count, expected } = part;
    const hit = drawn > 0 && of.some(({ id }) => id === last?.id);
    if (hit && element.classList.contains("hit") && element.dataset.drawn !== `${drawn}`) for (const fall of element.getAnimations({ subtree: true })) fall.play();
    const deleted = of.length && of.every(({ id }) => gone.has(id));
    element.className = `${hit ? "hit" : ""} ${deleted ? "gone" : ""} ${of.length ? "" : "rest"}`;
    set(element, { "--p": probability, "data-drawn": drawn });
    set($(".bar", element), { className: cells && count ? "bar cells" : "bar", "--p": expected ? Math.min(2, count / expected) : 0, "--n": count });
    $("b", element).textContent = percent(probability);
    $(".cap span", element).textContent = of.length ? `drawn ${drawn ? percent(count / drawn) : "–"}` : `${unread()} more`;
    $("button", element).ariaLabel = `${words(part)}, drawn ${counted(count, "time")}`;
  });
  const buttons = $$("button", box);
  if (buttons.filter(({ tabIndex }) => tabIndex === 0).length !== 1) stop(buttons);

  const total = all || tag ? rows.length : (labelled()?.count ?? rows.length);
  const read = all ? "" : ` (the first ${images.length.toLocaleString("en")} were read)`;
  $("#law-title").replaceChildren(text("b", `${counted(total)} of ${label}${tag && ` with the tag ${tag}`}`), `, as wide as they are likely${read}`);
  const [draws, sentence] = verdict(classes, drawn);
  $(".verdict").replaceChildren(text("b", draws), ` ${sentence}`);
  $(".what").textContent = cells ? "one draw" : "drawn so far";
  const shared = sum(groups.map(({ of }) => of), "length");
  const sharing = `The ${shared} least likely share ${groups.length === 1 ? "a slice" : `${groups.length} slices`}.`;
  const about = groups.length < parts.length ? sharing : `Each slice stands for about ${counted(Math.round(shared / groups.length))}.`;
  $(".shared").textContent = groups.length ? `${about} Click one to see them in the gallery.` : "";
}

const unread = () => (state.tag ? "" : ((labelled()?.count ?? state.images.length) - state.images.length).toLocaleString("en"));

function words({ of, probability }) {
  if (!of.length) return `${unread()} more, which were not read, ${percent(probability)}`;
  return of.length > 1 ? `${counted(of.length)}, ${percent(probability)} together` : `${titled(of[0])}, ${percent(probability)}`;
}

/** Make a slice. One far wider than its picture shows it several times, as film does; a group shows some of its pictures. */
function slice({ of, probability }, frames, heights) {
  const [first] = of;
  const wide = of.length === 1 ? (probability * heights * first.height) / first.width : 0;
  const step = Math.ceil(of.length / frames);
  const images = wide > 3.2 ? Array(Math.min(FRAMES, Math.ceil(wide / 2))).fill(first) : of.filter((_, place) => place % step === 0);
  const button = h(wide > 3.2 ? "button.film" : "button", {}, ...images.map((image) => picture(image, 256)));
  button.onclick = () => (of.length === 1 ? look(first.id) : dispatchEvent(new CustomEvent("gallery", { detail: (first ?? state.rows.at(-1)).id })));
  return h("li", {}, h("span.bar"), button, h("span.cap", {}, h("b"), h("span")));
}

function most({ rows, drawn }) {
  const longest = rows[0]?.probability * 1.15;
  list($(".most tbody"), rows.slice(0, MOST), ({ id }) => id, (image) => {
    const head = h("th", { scope: "row" }, picture(image, 256, { width: 44, height: 32 }), text("span", titled(image)));
    return h("tr", {}, head, h("td.chart", {}, h("div.track", {}, h("i.new"), h("i.old"))), h("td"), h("td"));
  }, ({ cells: [, bar, seen, exactly] }, { probability, count }) => {
    set($(".new", bar), { "--p": drawn ? Math.min(1, count / drawn / longest) : 0 });
    set($(".old", bar), { "--p": probability / longest });
    seen.textContent = drawn ? percent(count / drawn) : "–";
    exactly.textContent = percent(probability);
  });
}

listen(strip);
listen(most);
rove(box, "button");
new ResizeObserver(() => change()).observe(box);
