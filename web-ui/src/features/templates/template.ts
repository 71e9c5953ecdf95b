import type { components } from "@/lib/api/schema";

export type Template = components["schemas"]["TemplateView"];
export type ParseMode = components["schemas"]["ParseMode"];

export const PARSE_MODES = ["MarkdownV2", "HTML", "None"] as const satisfies ParseMode[];

/** A template while it is edited. */
export interface Draft {
  name: string;
  body: string;
  mode: ParseMode;
}

/** What a new template begins with: a line with the essentials, in each markup. */
export const STARTS: Record<ParseMode, string> = {
  MarkdownV2: `*{{ .severity | toUpper }}* {{ .system | escMD }}: {{ .summary | escMD }}
{{ with .action }}→ {{ . | escMD }}{{ end }}`,
  HTML: `<b>{{ .severity | toUpper }}</b> {{ .system | escHTML }}: {{ .summary | escHTML }}
{{ with .action }}→ {{ . | escHTML }}{{ end }}`,
  None: `{{ .severity | toUpper }} {{ .system }}: {{ .summary }}
{{ with .action }}→ {{ . }}{{ end }}`,
};

/** What is tried when no event is chosen: what a sender might push. */
export const SAMPLE = JSON.stringify(
  { title: "disk is 96 % full on db-1", severity: "critical", host: "db-1", message: "/var: 4 GB left", value: 96 },
  null,
  2,
);

/** What a template is tried on: an event that came, or what a sender might push. */
export interface Subject {
  event: string | undefined;
  sample: string;
}

/** A subject as the server wants it. */
export const subjectBody = ({ event, sample }: Subject) =>
  // The document cannot say that it is any object.
  event ? { event_id: event } : { sample: (objectOf(sample) ?? {}) as Record<string, never> };

/** An object of JSON, or undefined. */
export function objectOf(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
