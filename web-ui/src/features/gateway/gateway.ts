import type { components } from "@/lib/api/schema";

export type Binding = components["schemas"]["BindingView"];
export type Mode = Binding["mode"];

export const MODES = ["single", "multiple", "all"] as const satisfies Mode[];

/** The addresses of a text: one for each line, or with commas or spaces between them. */
export function addressesOf(text: string): string[] {
  return text.split(/[\s,]+/).filter((word) => word !== "");
}

/** A number that was typed, or nothing: then it is as the settings file says. */
export function numberOf(text: string): number | null {
  return text.trim() === "" ? null : Number(text);
}
