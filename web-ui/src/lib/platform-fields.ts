import type { components } from "./api/schema";

export type Field = components["schemas"]["FieldView"];
export type Platform = components["schemas"]["PlatformView"];

/** What is typed for a field. Of a secret, `null` removes the one that is there. */
export type Typed = string | null;

/** A stored value as the text that is edited. */
export function textOf(field: Field, value: unknown): string {
  if (value === undefined || value === null) return "";
  if (typeof value !== "object") return String(value);
  if (field.input === "headers") {
    return Object.entries(value)
      .map(([header, text]) => `${header}: ${text}`)
      .join("\n");
  }
  return JSON.stringify(value, null, 2);
}

/** What is sent for a text; undefined where it is blank. Text that cannot be read goes as it is: the server says why. */
export function sentOf(field: Field, text: Typed): unknown {
  if (text === null) return null;
  if (text.trim() === "") return undefined;
  switch (field.input) {
    case "number":
      return Number.isNaN(Number(text)) ? text : Number(text);
    case "switch":
      return text === "true";
    case "headers":
      return headersOf(text) ?? text;
    case "json":
      return jsonOf(text) ?? text;
    default:
      return text;
  }
}

function headersOf(text: string): Record<string, string> | undefined {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const pairs = lines.map((line) => /^([^:]+):(.*)$/.exec(line));
  if (pairs.includes(null)) return undefined;
  return Object.fromEntries(pairs.map((pair) => [pair?.[1]?.trim() ?? "", pair?.[2]?.trim() ?? ""]));
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
