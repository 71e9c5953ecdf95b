"use client";

import { useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { client } from "@/lib/api/client";

export type Platform = "webhook" | "email" | "telegram";

interface QuickField {
  name: string;
  isRequired: boolean;
  isSecret?: boolean;
  /** Belongs to the bot, which holds the credentials, and not to the channel. */
  isBots?: boolean;
}

/** What the guide asks for; everything else has a good default and is found under channels. */
export const FIELDS: Record<Platform, QuickField[]> = {
  webhook: [{ name: "target", isRequired: true }],
  email: [
    { name: "target", isRequired: true },
    { name: "host", isRequired: true, isBots: true },
    { name: "port", isRequired: false, isBots: true },
    { name: "from", isRequired: true, isBots: true },
    { name: "username", isRequired: false, isBots: true },
    { name: "password", isRequired: false, isBots: true, isSecret: true },
  ],
  telegram: [
    { name: "bot_token", isRequired: true, isBots: true, isSecret: true },
    { name: "target", isRequired: true },
  ],
};

export interface ChannelDraft {
  name: string;
  values: Record<string, string>;
  /** Whether a rule is made that sends every alert there. */
  everything: boolean;
}

/** The port on which a relay of one's own takes mail as it is; all others encrypt. */
const PLAIN_PORT = "25";
const IMPLICIT_PORT = "465";

function encryptionOf(port: string | undefined): string {
  if (port === PLAIN_PORT) return "none";
  return port === IMPLICIT_PORT ? "implicit" : "starttls";
}

/** Makes a channel with its bot and its rule, one after the other. A second attempt goes on where the first stopped. */
export function useMakeChannel(platform: Platform) {
  const cache = useQueryClient();
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const [made, setMade] = useState<string>();
  // What an attempt that failed later has already made.
  const [bot, setBot] = useState<number>();
  const channel = useRef<number>(undefined);

  const makeBot = async ({ name, values }: ChannelDraft) => {
    const fields = FIELDS[platform].filter(({ isBots }) => isBots);
    if (fields.length === 0) return undefined;
    const own = Object.fromEntries(fields.map((field) => [field.name, values[field.name] ?? ""]));
    if (platform === "email") own.tls = encryptionOf(values.port);
    const body = { ...own, name, platform };
    const answer = bot
      ? await client.PUT("/api/v1/bots/{id}", { params: { path: { id: bot } }, body })
      : await client.POST("/api/v1/bots", { body });
    setBot(answer.data?.id);
    return answer.data?.id;
  };

  const makeChannel = async ({ name, values }: ChannelDraft, botId: number | undefined) => {
    const body = { name, platform, target: values.target, bot_id: botId };
    const answer = channel.current
      ? await client.PUT("/api/v1/channels/{id}", { params: { path: { id: channel.current } }, body })
      : await client.POST("/api/v1/channels", { body });
    return answer.data?.id;
  };

  const attempt = async <Result>(run: () => Promise<Result>): Promise<Result | undefined> => {
    setBusy(true);
    setError(undefined);
    setMade(undefined);
    try {
      return await run();
    } catch (failure) {
      setError(failure);
      return undefined;
    } finally {
      setBusy(false);
      void cache.invalidateQueries();
    }
  };

  /** Makes the bot alone, to ask it for its chats. */
  const prepare = (draft: ChannelDraft) => attempt(() => makeBot(draft));

  /** Returns the name of the channel, or nothing when it was refused. */
  const make = (draft: ChannelDraft) =>
    attempt(async () => {
      channel.current = await makeChannel(draft, await makeBot(draft));
      if (draft.everything && channel.current) {
        const body = { name: `everything to ${draft.name}`, channels: [channel.current], continue: true };
        await client.POST("/api/v1/rules", { body });
      }
      setBot(undefined);
      channel.current = undefined;
      setMade(draft.name);
      return draft.name;
    });

  return { make, prepare, bot, isBusy, error, made };
}
