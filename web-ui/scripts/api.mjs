// Generates the types of the API from the server's OpenAPI document. Run by build and type check.
import { readFileSync, writeFileSync } from "node:fs";
import openapiTS, { astToString } from "openapi-typescript";

const document = JSON.parse(readFileSync(new URL("../../docs/api/openapi.json", import.meta.url), "utf8"));
// The types go by path and method; the names of operations are not unique.
for (const operations of Object.values(document.paths)) {
  for (const operation of Object.values(operations)) delete operation.operationId;
}
const types = await openapiTS(document, { alphabetize: true });
writeFileSync(new URL("../src/lib/api/schema.d.ts", import.meta.url), astToString(types));
