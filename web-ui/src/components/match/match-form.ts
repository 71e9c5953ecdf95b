import type { components } from "@/lib/api/schema";

export type Match = components["schemas"]["Match"];
export type Severity = components["schemas"]["Severity"];

/** No conditions: it holds for every event. */
export const ANYTHING: Match = {
  subject: null,
  from: null,
  to: null,
  system: null,
  category: null,
  source: null,
  severity_at_least: null,
  labels: {},
};

/** The conditions on texts, in the order in which they are asked for and shown. */
export const TEXT_CONDITIONS = ["subject", "from", "to", "system", "category", "source"] as const;
export type TextCondition = (typeof TEXT_CONDITIONS)[number];

/** Conditions while they are typed: an empty text is no condition. */
export type MatchForm = Record<TextCondition, string> & {
  severity_at_least: Severity | "";
  labels: { name: string; glob: string }[];
};

export const NO_CONDITIONS: MatchForm = {
  subject: "",
  from: "",
  to: "",
  system: "",
  category: "",
  source: "",
  severity_at_least: "",
  labels: [],
};

export function formOf(match: Match): MatchForm {
  const form: MatchForm = {
    ...NO_CONDITIONS,
    severity_at_least: match.severity_at_least ?? "",
    labels: Object.entries(match.labels).map(([name, glob]) => ({ name, glob })),
  };
  for (const name of TEXT_CONDITIONS) form[name] = match[name] ?? "";
  return form;
}

export function matchOf(form: MatchForm): Match {
  const match: Match = { ...ANYTHING };
  for (const name of TEXT_CONDITIONS) {
    const glob = form[name].trim();
    match[name] = glob || null;
  }
  match.severity_at_least = form.severity_at_least || null;
  const labels = form.labels.filter(({ name }) => name.trim());
  match.labels = Object.fromEntries(labels.map(({ name, glob }) => [name.trim(), glob.trim()]));
  return match;
}

/** Whether it holds for every event. */
export function matchesAll(match: Match): boolean {
  return (
    !match.severity_at_least && Object.keys(match.labels).length === 0 && TEXT_CONDITIONS.every((name) => !match[name])
  );
}

/** The name of the conditions' field that the server calls `field`, as the form calls it. */
export function conditionOf(field: string, form: MatchForm): string | undefined {
  const [inside, name, ...label] = field.split(".");
  if (inside !== "match" || !name) return undefined;
  if (name !== "labels") return `match.${name}`;
  const index = form.labels.findIndex((each) => each.name.trim() === label.join("."));
  return index < 0 ? undefined : `match.labels.${index}.glob`;
}
