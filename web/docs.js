// Show the OpenAPI document with Swagger UI, which must send no request to other hosts.

const answer = await fetch(new URL("../../openapi.json", import.meta.url));
const contract = await answer.json();

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
