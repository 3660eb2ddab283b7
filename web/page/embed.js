// Ready lines for other pages and programs, with the live address of this label and tag.

import { BASE, query } from "./api.js";
import { $, $$, copy, h, rove, stop } from "./dom.js";
import { listen, state } from "./state.js";

const LANGUAGES = ["img", "Markdown", "curl", "JavaScript", "Python"];
const DRAW = "Every request is a draw of its own. The answer says its probability in the header Image-Probability.";

const url = (file, values = {}) => `${BASE}${file}?${query({ label: state.label, tag: state.tag, ...values })}`;
const words = () => `A random picture of ${state.label}`;

/** Return the lines that show or save the picture at an address, by language. `address` may hold the code of a date. */
const picture = (address, dated = address) => ({
  img: `<img src="${address.replaceAll("&", "&amp;")}"\n     alt="${words()}">`,
  Markdown: `![${words()}](${address})`,
  curl: `curl -o ${state.label} -D - \\\n  "${dated}"`,
  JavaScript: `const picture = new Image();\npicture.alt = "${words()}";\npicture.src = \`${dated}\`;\ndocument.body.append(picture);`,
  Python: `from urllib.request import urlopen\n\nwith urlopen("${dated}") as answer:\n    print(answer.headers["Image-Probability"])\n    open("${state.label}", "wb").write(answer.read())`,
});

const RECIPES = {
  "A new picture each time": () => ({ ...picture(url("random")), hint: DRAW }),
  "Picture of the day": () => {
    const dated = url("random", { seed: "" });
    const no = "An address in HTML or Markdown does not know the date: choose curl, JavaScript or Python.";
    const { JavaScript, Python, curl } = picture("", `${dated}&seed=DATE`);
    return {
      img: null, Markdown: null, no,
      curl: curl.replace("DATE", "$(date -u +%F)"),
      JavaScript: JavaScript.replace("DATE", "${new Date().toISOString().slice(0, 10)}"),
      Python: `from datetime import datetime, timezone\n${Python.replace('urlopen("', 'urlopen(f"').replace("DATE", "{datetime.now(timezone.utc):%Y-%m-%d}")}`,
      hint: "The seed is the date: all visitors see one picture all day, until the label changes.",
    };
  },
  "Slideshow without repeats": () => {
    const walk = url("random", { session: "show", position: "" });
    const json = url("random.json", { session: "show" });
    return {
      img: null, Markdown: null, no: "A slideshow asks for one picture after the other: choose curl, JavaScript or Python.",
      curl: `for place in 0 1 2; do\n  curl -o "$place" "${walk}&position=$place"\ndone`,
      JavaScript: `const slide = document.body.appendChild(new Image());\nlet place = 0;\nsetInterval(async () => {\n  const answer = await fetch(\`${json}&position=\${place++}\`);\n  if (answer.ok) slide.src = (await answer.json()).url;\n  else place = 0;\n}, 5000);`,
      Python: `from urllib.request import urlretrieve\n\nfor place in range(3):\n    urlretrieve(f"${walk}&position={place}", f"{place}")`,
      hint: "A session shows each picture once, heavy ones rather early. Another text for the session gives another order.",
    };
  },
  "Small badge": () => ({ ...picture(url("random", { size: 256 })), hint: "size is 256, 512 or 1024 pixels. Two on one page need different addresses: add &random=1 and &random=2." }),
  "Answer of a bot": () => {
    const json = url("random.json");
    return {
      img: null, Markdown: null, no: "A bot reads text: choose curl, JavaScript or Python.",
      curl: `curl "${json}"`,
      JavaScript: `const answer = await fetch(\n  "${json}");\nconst { url, probability } = await answer.json();\nconsole.log(\`\${url} with probability \${probability}\`);`,
      Python: `import json\nfrom urllib.request import urlopen\n\nwith urlopen("${json}") as answer:\n    image = json.load(answer)\nprint(image["url"], image["probability"])`,
      hint: "JSON has the picture’s address, weight and probability.",
    };
  },
};

const recipe = $(".embed select");
const tabs = LANGUAGES.map((name) => h("button", { role: "tab", textContent: name, onclick: ({ currentTarget }) => choose(currentTarget) }));
let language = "img";

function choose(tab) {
  language = tab.textContent;
  render();
}

function render() {
  if (!state.label) return;
  const made = RECIPES[recipe.value]();
  for (const tab of tabs) tab.ariaDisabled = made[tab.textContent] === null ? "true" : null;
  const usable = made[language] === null ? "curl" : language;
  const chosen = tabs.find(({ textContent }) => textContent === usable);
  for (const tab of tabs) tab.ariaSelected = `${tab === chosen}`;
  if (!tabs.includes(document.activeElement)) stop(tabs, chosen);
  $(".code code").textContent = made[usable];
  $(".embed .hint").textContent = language === usable ? made.hint : made.no;
}

recipe.append(...Object.keys(RECIPES).map((name) => h("option", { textContent: name })));
recipe.onchange = render;
$(".embed [role=tablist]").append(...tabs);
rove($(".embed [role=tablist]"), "[role=tab]", choose);
$(".copy").onclick = ({ currentTarget }) => copy(currentTarget, $(".code code").textContent);
listen(render);
