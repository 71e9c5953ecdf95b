import type { components } from "@/lib/api/schema";
import type { Platform, Typed } from "@/lib/platform-fields";

export type Bot = components["schemas"]["BotView"];
type Body = components["schemas"]["BotBody"];

/** A bot while it is edited: text, as it stands in the controls. */
export interface Draft {
  name: string;
  platform: string;
  description: string;
  /** What the platform asks for; of a secret only what was typed. */
  fields: Record<string, Typed>;
}

export function draftOf(bot: Bot | undefined, platform: Platform): Draft {
  const shown = platform.bot.filter((field) => !field.secret);
  return {
    name: bot?.name ?? "",
    platform: platform.id,
    description: bot?.description ?? "",
    fields: Object.fromEntries(shown.map(({ name }) => [name, String(bot?.[name] ?? "")])),
  };
}

/** What is sent for a draft: a secret that was left blank stays as it is, `null` and other blank fields go. */
export function bodyOf(draft: Draft, platform: Platform): Body {
  const typed = platform.bot.map(({ name }) => [name, typedOf(draft, name)] as const);
  return {
    ...Object.fromEntries(typed),
    name: draft.name.trim(),
    platform: draft.platform,
    description: draft.description.trim(),
  };
}

function typedOf({ fields }: Draft, name: string): Typed {
  const typed = fields[name];
  return typed === null ? null : (typed ?? "").trim();
}

/** The last characters of a secret that is there. */
export function lastOf(bot: Bot, name: string): string | undefined {
  return bot[`${name}_set`] === true ? String(bot[`${name}_last4`] ?? "") : undefined;
}
