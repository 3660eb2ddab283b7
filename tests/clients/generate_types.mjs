// `node generate_types.mjs URL`: print the TypeScript types of the OpenAPI document at a URL.
// What `npx openapi-typescript` makes has texts for files; here, they are Blobs, as FormData and fetch have them.

import openapiTS, { astToString } from "openapi-typescript";
import ts from "typescript";

const BLOB = ts.factory.createTypeReferenceNode("Blob");

const types = await openapiTS(new URL(process.argv[2]), {
  transform: (schema) => (schema.format === "binary" ? BLOB : undefined),
});
console.log(astToString(types));
