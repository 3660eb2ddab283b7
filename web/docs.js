// The contract, shown by Swagger UI, which is asked to ask nobody else.

const answer = await fetch(new URL("../../openapi.json", import.meta.url));
// Swagger UI fails to print a multipleOf that JavaScript writes with an exponent (1e-9), and with it the whole schema.
const printable = (name, value) => (name === "multipleOf" && String(value).includes("e") ? undefined : value);
const contract = JSON.parse(await answer.text(), printable);

for (const operation of Object.values(contract.paths).flatMap(Object.values)) {
  for (const { source } of operation["x-codeSamples"] ?? []) {
    operation.description = `${operation.description ?? ""}\n\n\`\`\`sh\n${source}\n\`\`\``;
  }
}

globalThis.SwaggerUIBundle({
  dom_id: "#contract",
  spec: contract,
  validatorUrl: null,
  docExpansion: "list",
  tryItOutEnabled: true,
});
