import type { components } from "@/lib/api/schema";
import { type Platform, sentOf, type Typed, textOf } from "@/lib/platform-fields";

export type Channel = components["schemas"]["ChannelView"];
export type Bot = components["schemas"]["BotView"];
type Body = components["schemas"]["ChannelBody"];

/** One of the templates of a channel while it is edited. */
export interface UseDraft {
  /** Stays the same while rows move. */
  key: string;
  template: string;
  condition: string;
  isDefault: boolean;
}

/** A channel while it is edited: text, as it stands in the controls. */
export interface Draft {
  name: string;
  platform: string;
  bot: string;
  /** The target and the options, by the names that the platform gives them. */
  fields: Record<string, Typed>;
  rate: string;
  dedup: string;
  uses: UseDraft[];
}

export function draftOf(channel: Channel | undefined, platform: Platform): Draft {
  const options = platform.fields.map((field) => [field.name, textOf(field, channel?.options[field.name])]);
  return {
    name: channel?.name ?? "",
    platform: platform.id,
    bot: channel?.bot_id ? String(channel.bot_id) : "",
    fields: { ...Object.fromEntries(options), target: channel?.target ?? "" },
    rate: channel?.rate_per_min ? String(channel.rate_per_min) : "",
    dedup: channel?.dedup_window_s ? String(channel.dedup_window_s) : "",
    uses: (channel?.templates ?? []).map((use) => ({
      key: crypto.randomUUID(),
      template: String(use.template_id),
      condition: use.condition,
      isDefault: use.is_default,
    })),
  };
}

/** What is sent for a draft. Secrets that were left blank are not in it, and so stay as they are; `null` removes one. */
export function bodyOf(draft: Draft, platform: Platform): Body {
  const options = platform.fields
    .filter((field) => field.name !== "target")
    .map((field) => [field.name, sentOf(field, typedOf(draft, field.name))] as const)
    .filter(([, value]) => value !== undefined);
  return {
    name: draft.name.trim(),
    platform: draft.platform,
    bot_id: platform.bot.length > 0 && draft.bot ? Number(draft.bot) : undefined,
    target: draft.fields.target ?? "",
    options: Object.fromEntries(options),
    rate_per_min: numberOf(draft.rate),
    dedup_window_s: numberOf(draft.dedup),
    templates: draft.uses
      .filter((use) => use.template)
      .map((use) => ({
        template_id: Number(use.template),
        condition: use.condition.trim(),
        is_default: use.isDefault,
      })),
  };
}

function typedOf({ fields }: Draft, name: string): Typed {
  const typed = fields[name];
  return typed === undefined ? "" : typed;
}

/** Whether a number field holds what the server can take: nothing, or a whole number that is not negative. */
export function isCount(text: string): boolean {
  return /^\d*$/.test(text.trim());
}

function numberOf(text: string): number {
  return text.trim() === "" ? 0 : Number(text);
}
