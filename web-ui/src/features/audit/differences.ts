/** A value of an item before and after; what is absent was not there. */
export interface Difference {
  /** `match.from`, `channels[1]`. */
  path: string;
  before?: string;
  after?: string;
}

/** What changes with every change and tells nothing, and what is counted rather than set. */
const NOISE = /^(created_at|updated_at|created_by|provisioned|hidden\..*)$/;

/** What is not the same in two states of an item, value by value. */
export function differences(before: unknown, after: unknown): Difference[] {
  const old = valuesOf(before);
  const young = valuesOf(after);
  const paths = [...new Set([...old.keys(), ...young.keys()])];
  return paths
    .filter((path) => !NOISE.test(path) && old.get(path) !== young.get(path))
    .map((path) => ({ path, before: old.get(path), after: young.get(path) }));
}

/** What people call the item: its name, or what stands for it. */
export function nameOf(...states: unknown[]): string | undefined {
  for (const state of states) {
    if (typeof state !== "object" || state === null) continue;
    const found = ["name", "display_name", "email", "model", "comment"]
      .map((field) => (state as Record<string, unknown>)[field])
      .find((value) => typeof value === "string" && value !== "");
    if (found) return String(found);
  }
  return undefined;
}

/** Every value in an item by its path. Short lists of plain values are one value; what is empty is left out. */
function valuesOf(item: unknown): Map<string, string> {
  const values = new Map<string, string>();
  const isPlain = (value: unknown) => typeof value !== "object" || value === null;
  const walk = (value: unknown, path: string) => {
    if (value === null || value === undefined || value === "") return;
    if (isPlain(value)) values.set(path, String(value));
    else if (Array.isArray(value) && value.every(isPlain)) {
      if (value.length > 0) values.set(path, value.join(", "));
    } else if (Array.isArray(value)) for (const [index, each] of value.entries()) walk(each, `${path}[${index}]`);
    else for (const [name, each] of Object.entries(value as object)) walk(each, path ? `${path}.${name}` : name);
  };
  walk(item, "");
  return values;
}
