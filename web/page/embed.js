// Ready lines for other pages and programs, with the live address of this label and tag.

import { BASE, query } from "./api.js";
import { $, copy, rove, stop, text } from "./dom.js";
import { listen, state } from "./state.js";

const DRAW = "Every request is a draw of its own. The answer says its probability in the header Image-Probability.";

/** Return the live address of a draw. `code` is put in as it is: it holds what a program computes. */
const url = (file, values, code = "") => `${BASE}${file}?${query({ label: state.label, tag: state.tag, ...values })}${code}`;

/** Return the lines that show or save the picture at an address. */
function picture(address) {
  const alt = `A random picture of ${state.label}`;
  return {
    img: `<img src="${address.replaceAll("&", "&amp;")}"\n     alt="${alt}">`,
    Markdown: `![${alt}](${address})`,
    curl: `curl -L -o ${state.label} -D - \\\n  "${address}"`,
    JavaScript: `const picture = new Image();\npicture.alt = "${alt}";\npicture.src = \`${address}\`;\ndocument.body.append(picture);`,
    Python: `import json\nfrom urllib.request import urlopen, urlretrieve\n\nwith urlopen(f"${address.replace("random?", "random.json?")}") as answer:\n    image = json.load(answer)\nprint(image["probability"])\nurlretrieve(image["${address.includes("size=") ? "thumbnailUrl" : "url"}"], "${state.label}")`,
  };
}

// What to embed -> lines by language, a hint, and (`no`) why img and Markdown cannot do it
const RECIPES = {
  "A new picture each time": () => ({ ...picture(url("random")), hint: DRAW }),
  "Picture of the day": () => {
    const dated = (code) => picture(url("random", {}, `&seed=${code}`));
    return {
      no: "An address in HTML or Markdown does not know the date: choose curl, JavaScript or Python.",
      curl: dated("$(date -u +%F)").curl,
      JavaScript: dated("${new Date().toISOString().slice(0, 10)}").JavaScript,
      Python: `from datetime import datetime, timezone\n${dated("{datetime.now(timezone.utc):%Y-%m-%d}").Python}`,
      hint: "The seed is the date: all visitors see one picture all day, until the label changes.",
    };
  },
  "Slideshow without repeats": () => {
    const walk = (file, code) => url(file, { session: "show" }, `&position=${code}`);
    return {
      no: "A slideshow asks for one picture after the other: choose curl, JavaScript or Python.",
      curl: `for place in 0 1 2; do\n  curl -L -o "$place" "${walk("random", "$place")}"\ndone`,
      JavaScript: `const slide = document.body.appendChild(new Image());\nlet place = 0;\nsetInterval(async () => {\n  const answer = await fetch(\`${walk("random.json", "${place++}")}\`);\n  if (answer.ok) slide.src = (await answer.json()).url;\n  else place = 0;\n}, 5000);`,
      Python: `from urllib.request import urlretrieve\n\nfor place in range(3):\n    urlretrieve(f"${walk("random", "{place}")}", f"{place}")`,
      hint: "A session shows each picture once, heavy ones rather early. Another text for the session gives another order.",
    };
  },
  "Small badge": () => ({ ...picture(url("random", { size: 256 })), hint: "size is 256, 512 or 1024 pixels. Two on one page need different addresses: add &random=1 and &random=2." }),
  "Answer of a bot": () => ({
    no: "A bot reads text: choose curl, JavaScript or Python.",
    curl: `curl "${url("random.json")}"`,
    JavaScript: `const answer = await fetch(\n  "${url("random.json")}");\nconst { url, probability } = await answer.json();\nconsole.log(\`\${url} with probability \${probability}\`);`,
    Python: `import json\nfrom urllib.request import urlopen\n\nwith urlopen("${url("random.json")}") as answer:\n    image = json.load(answer)\nprint(image["url"], image["probability"])`,
    hint: "JSON has the picture’s address, weight and probability.",
  }),
};

const recipe = $(".embed select");
const line = $(".embed [role=tablist]");
const tabs = ["img", "Markdown", "curl", "JavaScript", "Python"].map((name) => text("button", name, { role: "tab", onclick: () => choose(name) }));
let language = "img";

function choose(name) {
  language = name;
  render();
}

function render() {
  if (!state.label) return;
  const made = RECIPES[recipe.value]();
  const usable = made[language] ? language : "curl";
  for (const tab of tabs) {
    tab.ariaDisabled = made[tab.textContent] ? null : "true";
    tab.ariaSelected = `${tab.textContent === usable}`;
  }
  if (!line.contains(document.activeElement)) stop(tabs, tabs.find((tab) => tab.textContent === usable));
  $(".code code").textContent = made[usable];
  $(".embed .hint").textContent = language === usable ? made.hint : made.no;
}

recipe.append(...Object.keys(RECIPES).map((name) => text("option", name)));
recipe.onchange = render;
line.append(...tabs);
rove(line, "[role=tab]", (tab) => choose(tab.textContent));
$(".copy").onclick = ({ currentTarget }) => copy(currentTarget, $(".code code").textContent);
listen(render);
