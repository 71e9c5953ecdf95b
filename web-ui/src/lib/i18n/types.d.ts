import type account from "@/messages/en/account.json";
import type ai from "@/messages/en/ai.json";
import type alerts from "@/messages/en/alerts.json";
import type audit from "@/messages/en/audit.json";
import type bots from "@/messages/en/bots.json";
import type channels from "@/messages/en/channels.json";
import type common from "@/messages/en/common.json";
import type connect from "@/messages/en/connect.json";
import type deadLetters from "@/messages/en/dead-letters.json";
import type deliveries from "@/messages/en/deliveries.json";
import type docs from "@/messages/en/docs.json";
import type errors from "@/messages/en/errors.json";
import type gateway from "@/messages/en/gateway.json";
import type match from "@/messages/en/match.json";
import type mutes from "@/messages/en/mutes.json";
import type overview from "@/messages/en/overview.json";
import type rules from "@/messages/en/rules.json";
import type session from "@/messages/en/session.json";
import type shell from "@/messages/en/shell.json";
import type silences from "@/messages/en/silences.json";
import type system from "@/messages/en/system.json";
import type team from "@/messages/en/team.json";
import type templates from "@/messages/en/templates.json";
import type welcome from "@/messages/en/welcome.json";

// The English messages are the pattern: a key that is not there does not compile.
declare module "use-intl" {
  interface AppConfig {
    Locale: "en" | "zh" | "fa";
    Messages: {
      account: typeof account;
      ai: typeof ai;
      alerts: typeof alerts;
      audit: typeof audit;
      bots: typeof bots;
      channels: typeof channels;
      common: typeof common;
      connect: typeof connect;
      "dead-letters": typeof deadLetters;
      deliveries: typeof deliveries;
      docs: typeof docs;
      errors: typeof errors;
      gateway: typeof gateway;
      match: typeof match;
      mutes: typeof mutes;
      overview: typeof overview;
      rules: typeof rules;
      session: typeof session;
      shell: typeof shell;
      silences: typeof silences;
      system: typeof system;
      team: typeof team;
      templates: typeof templates;
      welcome: typeof welcome;
    };
  }
}
