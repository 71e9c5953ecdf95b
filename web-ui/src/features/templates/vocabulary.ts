// What a template can use. The guide describes the same; tests compare both with it, and it with the engine.

/** What the engine knows of every event, by what it is about. */
export const FIELDS = {
  understood: ["severity", "status", "system", "category", "summary", "action", "origin"],
  sent: ["subject", "details", "from", "to", "source", "labels"],
  course: ["count", "received_at", "since", "update"],
  written: ["text", "link"],
  ids: ["event_id", "alert_id", "delivery_id", "fingerprint"],
} as const;

export type FieldGroup = keyof typeof FIELDS;
export type FieldName = (typeof FIELDS)[FieldGroup][number];

export const FIELD_NAMES: readonly FieldName[] = Object.values(FIELDS).flat();

/** The names of Alertmanager's templates, for templates that come from there. */
export const ALERTMANAGER = [
  "Status",
  "Labels",
  "Annotations",
  "CommonLabels",
  "CommonAnnotations",
  "StartsAt",
  "EndsAt",
  "GeneratorURL",
  "ExternalURL",
  "Receiver",
  "Fingerprint",
  "Alerts",
  "Severity",
  "System",
  "Summary",
  "Action",
  "Subject",
  "Text",
] as const;

/** Each function as it is put into a template. */
export const FUNCTIONS = {
  escMD: "{{ .summary | escMD }}",
  escHTML: "{{ .summary | escHTML }}",
  toUpper: "{{ .severity | toUpper }}",
  upper: "{{ .severity | upper }}",
  toLower: "{{ .system | toLower }}",
  lower: "{{ .system | lower }}",
  title: "{{ .category | title }}",
  trimSpace: "{{ .details | trimSpace }}",
  truncate: "{{ truncate 80 .details }}",
  default: '{{ default "–" .action }}',
  match: '{{ if match "^db" .system }}{{ end }}',
  reReplaceAll: '{{ reReplaceAll "[0-9]+" "#" .subject }}',
  join: '{{ join ", " .to }}',
  stringSlice: '{{ range stringSlice "a" "b" }}{{ . }}{{ end }}',
  len: "{{ len .to }}",
  index: '{{ index .labels "host" }}',
  slice: "{{ slice .fingerprint 0 8 }}",
  toJson: "{{ .labels | toJson }}",
  json: "{{ .labels | json }}",
  date: '{{ .received_at | date "2006-01-02 15:04" }}',
  tz: '{{ .received_at | tz "Europe/Berlin" | date "15:04" }}',
  since: "{{ since .received_at }}",
  humanizeDuration: "{{ since .received_at | humanizeDuration }}",
  now: '{{ now | date "15:04" }}',
  eq: '{{ if eq .severity "critical" }}{{ end }}',
  ne: '{{ if ne .status "resolved" }}{{ end }}',
  lt: "{{ if lt .count 3 }}{{ end }}",
  le: "{{ if le .count 3 }}{{ end }}",
  gt: "{{ if gt .count 3 }}{{ end }}",
  ge: "{{ if ge .count 3 }}{{ end }}",
  and: "{{ if and .action .link }}{{ end }}",
  or: "{{ or .action .summary }}",
  not: "{{ if not .action }}{{ end }}",
  print: '{{ print .system " " .category }}',
  printf: '{{ printf "%s: %s" .system .summary }}',
  println: "{{ println .summary }}",
  html: "{{ .summary | html }}",
  js: "{{ .summary | js }}",
  urlquery: "{{ .system | urlquery }}",
} as const;

export type FunctionName = keyof typeof FUNCTIONS;

export const FUNCTION_NAMES = Object.keys(FUNCTIONS).filter((name): name is FunctionName => name in FUNCTIONS);

/** A field as it is put into a template; a label may have a name that does not stand behind a dot. */
export function fieldSource(name: string): string {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? `{{ .${name} }}` : `{{ index .labels ${JSON.stringify(name)} }}`;
}

/** The longest value that is looked at, in characters. */
const VALUE_MAX = 120;
const WHOLE: readonly FieldName[] = ["from", "to", "labels", "count", "update"];

/** A template that writes the values of all fields, as an object of JSON. */
export const VALUES_SOURCE = `{${FIELD_NAMES.map((name) => {
  const value = WHOLE.includes(name) ? `.${name}` : `(truncate ${VALUE_MAX} .${name})`;
  return `"${name}": {{ json ${value} }}`;
}).join(", ")}}`;
