// Show the OpenAPI document with Swagger UI, which must send no request to other hosts.

const answer = await fetch(new URL("../../openapi.json", import.meta.url));
const contract = await answer.json();

/** Return the part of the contract that a reference leads to, or the part itself. */
const followed = ({ $ref, ...part }) =>
  $ref ? { ...followed($ref.slice(2).split("/").reduce((at, name) => at[name], contract)), ...part } : part;

for (const operation of Object.values(contract.paths).flatMap(Object.values)) {
  for (const { source } of operation["x-codeSamples"] ?? []) {
    operation.description = `${operation.description ?? ""}\n\n\`\`\`sh\n${source}\n\`\`\``;
  }
  // Swagger UI fills fields with an `example`, so only parameters that are required have one. It does not show others.
  operation.parameters = operation.parameters?.map(followed).map((parameter) => {
    const [example] = followed(parameter.schema).examples ?? [];
    const shown = example === undefined || "example" in parameter ? "" : `\n\nExample: \`${example}\``;
    return { ...parameter, description: parameter.description + shown };
  });
}

const dark = matchMedia("(prefers-color-scheme: dark)");
const dye = () => document.documentElement.classList.toggle("dark-mode", dark.matches); // Swagger UI's own dark mode
dark.addEventListener("change", dye);
dye();

// What Swagger UI leaves out for screen readers and keyboards.
const AMENDMENTS = {
  ".information-container": { role: "region", "aria-label": "About" },
  ".schemes-server-container": { role: "region", "aria-label": "Server and token" },
  "#servers": { "aria-label": "Server" },
  ".opblock-tag": { "aria-level": "2" },
  "h4": { "aria-level": "3" },
  "h5": { "aria-level": "4" },
  "pre.microlight": { tabindex: "0" },
  ".body-param__text": { "aria-label": "Request body" },
  ".responses-inner .content-type": { "aria-label": "Media type of the response" },
};

function amend() {
  for (const [selector, attributes] of Object.entries(AMENDMENTS)) {
    for (const [name, value] of Object.entries(attributes)) {
      for (const one of document.querySelectorAll(`${selector}:not([${name}])`)) one.setAttribute(name, value);
    }
  }
  for (const one of document.querySelectorAll(".parameters :is(input, select, textarea):not([aria-label])")) {
    const name = one.closest("tr")?.querySelector(".parameter__name")?.firstChild?.textContent;
    one.setAttribute("aria-label", name?.trim() || "Value");
  }
  for (const one of document.querySelectorAll(".responses-table:not([aria-label])")) {
    one.setAttribute("aria-label", `Responses, ${one.id || "the last one"}`);
  }
}

const place = document.querySelector("#contract");
new MutationObserver(amend).observe(place, { childList: true, subtree: true });

globalThis.SwaggerUIBundle({
  domNode: place,
  spec: contract,
  validatorUrl: null,
  docExpansion: "list",
  tryItOutEnabled: true,
});
