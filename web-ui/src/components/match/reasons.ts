/** The sentences in which the server says why an alert goes where it goes, by what they say. */
const SHAPES = {
  addressed: /^it was addressed to (?<channels>.+)$/,
  outsideHours: /^rule `(?<rule>.+)` matched outside its hours$/,
  goes: /^rule `(?<rule>.+)` matched: goes to (?<channels>.+)$/,
  matched: /^rule `(?<rule>.+)` matched$/,
  severity: /^rule `(?<rule>.+)` set the severity to (?<severity>\w+) \(it was (?<before>\w+)\)$/,
  escalates: /^rule `(?<rule>.+)` escalates (?<severity>\w+) to (?<channels>.+)$/,
  nowhere: /^no rule named a channel and there is no default channel$/,
  defaults: /^no rule named a channel: goes to the default, (?<channels>.+)$/,
  disabled: /^channel `(?<channels>.+)` is left out: it is disabled$/,
  missing: /^(?<channels>channel \d+) is left out: it does not exist$/,
  silencedBecause:
    /^silence \d+ \(`(?<comment>.+)`\) keeps it from all channels until (?<day>[\d-]+) (?<hour>[\d:]+) UTC$/s,
  silenced: /^silence \d+ keeps it from all channels until (?<day>[\d-]+) (?<hour>[\d:]+) UTC$/,
  raisedTo: /^the model raised the severity from (?<before>\w+) to (?<severity>\w+): also goes to (?<channels>.+)$/,
  raised: /^the model raised the severity from (?<before>\w+) to (?<severity>\w+)$/,
} as const;

export type Kind = keyof typeof SHAPES;

/** What a reason says, and of what. */
export interface Read {
  kind: Kind;
  rule?: string;
  channels?: string[];
  severity?: string;
  before?: string;
  comment?: string;
  until?: Date;
}

/** Reads a reason, to say it in another language; nothing where the server has found new words. */
export function readReason(text: string): Read | undefined {
  for (const [kind, shape] of Object.entries(SHAPES) as [Kind, RegExp][]) {
    const { channels, day, hour, ...found } = shape.exec(text)?.groups ?? {};
    if (!shape.test(text)) continue;
    const names = channels?.split(/, (?=`|channel \d)/).map((name) => name.replaceAll("`", ""));
    return { kind, ...found, channels: names, until: day ? new Date(`${day}T${hour}Z`) : undefined };
  }
  return undefined;
}
