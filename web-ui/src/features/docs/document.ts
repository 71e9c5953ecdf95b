// The parts of the server's OpenAPI document that the screen shows.

export interface Schema {
  $ref?: string;
  type?: string | string[];
  format?: string;
  description?: string;
  enum?: unknown[];
  items?: Schema;
  oneOf?: Schema[];
  anyOf?: Schema[];
  allOf?: Schema[];
  properties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
  required?: string[];
}

interface Content {
  content?: Record<string, { schema?: Schema }>;
}

interface Operation {
  tags?: string[];
  summary?: string;
  description?: string;
  parameters?: { name: string; in: string; required?: boolean; description?: string; schema?: Schema }[];
  requestBody?: Content;
  responses: Record<string, Content & { description?: string }>;
  "x-role"?: string;
}

export interface OpenApi {
  info: { version: string; description?: string };
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
}

/** An operation with its address. */
export interface Call extends Operation {
  method: string;
  path: string;
}

/** The calls that have all of some words in them, by what they are about, in the order of the document. */
export function callsOf({ paths }: OpenApi, words: string): [tag: string, calls: Call[]][] {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  const calls = Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({ ...operation, method: method.toUpperCase(), path })),
  );
  const groups = new Map<string, Call[]>();
  for (const call of calls) {
    const text = `${call.method} ${call.path} ${call.summary ?? ""} ${call.tags ?? ""}`.toLowerCase();
    const tag = call.tags?.[0] ?? "";
    if (wanted.every((word) => text.includes(word))) groups.set(tag, [...(groups.get(tag) ?? []), call]);
  }
  return [...groups];
}

/** The schema of the JSON in a body or an answer. */
export const jsonOf = ({ content }: Content): Schema | undefined => content?.["application/json"]?.schema;

/** What a reference stands for; anything else is itself. */
export function resolve(document: OpenApi, schema: Schema): Schema {
  const name = schema.$ref?.split("/").at(-1);
  return (name && document.components.schemas[name]) || schema;
}

/** A schema in a few words: `string`, `Match`, `integer[] or null`. */
export function typeOf(schema: Schema): string {
  if (schema.$ref) return schema.$ref.split("/").at(-1) ?? "";
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  const choices = schema.oneOf ?? schema.anyOf ?? schema.allOf;
  if (choices) return choices.map(typeOf).join(" | ");
  if (schema.items) return `${typeOf(schema.items)}[]`;
  return [schema.type ?? "any"].flat().join(" | ");
}
