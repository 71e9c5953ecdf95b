// Generates the types of the API from the server's OpenAPI document. Run by build and type check.
import { writeFileSync } from "node:fs";
import openapiTS, { astToString } from "openapi-typescript";

const document = new URL("../../docs/api/openapi.json", import.meta.url);
const types = await openapiTS(document, { alphabetize: true });
writeFileSync(new URL("../src/lib/api/schema.d.ts", import.meta.url), astToString(types));
