import type { components } from "./api/schema";

export type Field = components["schemas"]["FieldView"];
export type Platform = components["schemas"]["PlatformView"];

/** How a field is filled in. What the server does not say, its name does; any other name is a line of text. */
type Kind = "text" | "lines" | "number" | "headers" | "json" | "choice";

const KINDS: Record<string, Kind> = {
  ca: "lines",
  body: "lines",
  message_thread_id: "number",
  quiet_gap_s: "number",
  parts_max: "number",
  headers: "headers",
  buttons: "json",
  success: "json",
};

const CHOICES: Record<string, string[]> = {
  language: ["en", "zh", "fa"],
  silent_below: ["info", "warning", "error", "critical"],
  edit: ["true", "false"],
  tls: ["starttls", "implicit", "none"],
  provider: ["twilio", "kavenegar", "generic"],
  method: ["POST", "GET", "PUT"],
  format: ["interactive", "post", "text"],
};

export function kindOfField(name: string): Kind {
  return name in CHOICES ? "choice" : (KINDS[name] ?? "text");
}

/** The values of a choice. */
export function choicesOf(name: string): string[] {
  return CHOICES[name] ?? [];
}

/** A stored value as the text that is edited. */
export function textOf(name: string, value: unknown): string {
  if (value === undefined || value === null) return "";
  if (typeof value !== "object") return String(value);
  if (kindOfField(name) === "headers") {
    return Object.entries(value)
      .map(([header, text]) => `${header}: ${text}`)
      .join("\n");
  }
  return JSON.stringify(value, null, 2);
}

/** What is sent for a text; undefined where it is blank. Text that cannot be read goes as it is: the server says why. */
export function sentOf(name: string, text: string): unknown {
  if (text.trim() === "") return undefined;
  switch (kindOfField(name)) {
    case "number":
      return Number.isNaN(Number(text)) ? text : Number(text);
    case "headers":
      return headersOf(text) ?? text;
    case "json":
      return jsonOf(text) ?? text;
    case "choice":
      return name === "edit" ? text === "true" : text;
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
