import { ANYTHING, conditionOf, formOf, type MatchForm, matchOf, type Severity } from "@/components/match/match-form";
import type { components } from "@/lib/api/schema";

export type Rule = components["schemas"]["RuleView"];
export type RuleBody = components["schemas"]["RuleBody"];

export const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
export type Day = (typeof DAYS)[number];

/** A rule while it is edited. What a switch turns off keeps its values until the form is closed. */
export interface RuleForm {
  name: string;
  enabled: boolean;
  match: MatchForm;
  channels: number[];
  goesOn: boolean;
  severity: Severity | "";
  escalates: boolean;
  escalation: { severity: Severity; channels: number[] };
  hasHours: boolean;
  hours: { days: Day[]; from: string; to: string; timezone: string };
  wait: string;
}

const viewersZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;

/** The form for a rule that is there, or for a new one. */
export function ruleFormOf(rule: Partial<Rule> = {}): RuleForm {
  const { active, escalate } = rule;
  return {
    name: rule.name ?? "",
    enabled: rule.enabled ?? true,
    match: formOf(rule.match ?? ANYTHING),
    channels: rule.channels ?? [],
    goesOn: rule.continue ?? false,
    severity: rule.set_severity ?? "",
    escalates: Boolean(escalate),
    escalation: { severity: escalate?.severity_at_least ?? "critical", channels: escalate?.channels ?? [] },
    hasHours: Boolean(active),
    hours: {
      days: DAYS.filter((day) => active?.days?.includes(day)),
      from: active?.from ?? "22:00",
      to: active?.to ?? "06:00",
      timezone: active ? (active.timezone ?? "UTC") : viewersZone(),
    },
    wait: rule.ai_max_wait ?? "",
  };
}

/** What the server gets. */
export function bodyOf(form: RuleForm): RuleBody {
  const { hours, escalation } = form;
  return {
    name: form.name.trim(),
    enabled: form.enabled,
    match: matchOf(form.match),
    channels: form.channels,
    continue: form.goesOn,
    set_severity: form.severity || null,
    escalate: form.escalates ? { severity_at_least: escalation.severity, channels: escalation.channels } : null,
    active: form.hasHours ? { ...hours, timezone: hours.timezone.trim() || null } : null,
    ai_max_wait: form.wait.trim() || null,
  };
}

/** A rule that is there, as one of a draft. */
export function bodyOfRule(rule: Rule): RuleBody {
  const { name, enabled, match, channels, set_severity, escalate, active, ai_max_wait } = rule;
  return { name, enabled, match, channels, continue: rule.continue, set_severity, escalate, active, ai_max_wait };
}

const FIELDS: [string, string][] = [
  ["name", "name"],
  ["channels", "channels"],
  ["escalate", "escalation.channels"],
  ["active.from", "hours.from"],
  ["active.to", "hours.to"],
  ["active.timezone", "hours.timezone"],
  ["active", "hours.from"],
  ["ai_max_wait", "wait"],
];

/** The form's name for a field that the server refused. */
export function formFieldOf(field: string, form: RuleForm): string | undefined {
  const own = FIELDS.find(([name]) => field === name || field.startsWith(`${name}.`) || field.startsWith(`${name}[`));
  return conditionOf(field, form.match) ?? own?.[1];
}

/** The list with the item at `from` put to `to`. */
export function moved<Item>(items: readonly Item[], from: number, to: number): Item[] {
  const rest = items.filter((_, index) => index !== from);
  return [...rest.slice(0, to), ...items.slice(from, from + 1), ...rest.slice(to)];
}
