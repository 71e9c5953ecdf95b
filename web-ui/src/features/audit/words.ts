"use client";

import { useTranslations } from "use-intl";

export const KINDS = [
  "ai_provider",
  "ai_providers",
  "alert",
  "binding",
  "bot",
  "channel",
  "dead_letter",
  "default_channels",
  "gateway",
  "invite",
  "mute",
  "rule",
  "rules",
  "settings",
  "silence",
  "template",
  "tenant",
  "token",
  "user",
] as const;

const ACTIONS = [
  "create",
  "update",
  "delete",
  "enable",
  "disable",
  "reorder",
  "replay",
  "register",
  "set_up",
  "sign_in",
  "lock_out",
  "rotate-token",
  "reset_password",
  "acknowledge",
  "unacknowledge",
  "resolve",
  "label",
  "block",
  "unblock",
] as const;

/** The names of what the server writes into its log; a word that is new to us is shown as it is. */
export function useWords() {
  const kinds = useTranslations("audit.kinds");
  const actions = useTranslations("audit.actions");
  return {
    kindName: (word: string) => {
      const kind = KINDS.find((each) => each === word);
      return kind ? kinds(kind) : word;
    },
    actionName: (word: string) => {
      const action = ACTIONS.find((each) => each === word);
      return action ? actions(action) : word;
    },
  };
}
