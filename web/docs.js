// Show the OpenAPI document with Swagger UI, which must send no request to other hosts.

const answer = await fetch(new URL("../../openapi.json", import.meta.url));
// Swagger UI cannot show a schema with a multipleOf that JavaScript writes with an exponent (1e-9).
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
