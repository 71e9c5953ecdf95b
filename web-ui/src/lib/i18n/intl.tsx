"use client";

import { type ReactNode, useMemo } from "react";
import { IntlProvider, type Messages, useLocale, useMessages } from "use-intl";
import type { Locale } from "./locales";

const viewersTimeZone = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** The language of the whole page, with the messages that every screen uses. */
export function Intls({
  locale,
  messages,
  children,
}: {
  locale: Locale;
  messages: Partial<Messages>;
  children: ReactNode;
}) {
  return (
    <IntlProvider locale={locale} messages={messages as Messages} timeZone={viewersTimeZone}>
      {children}
    </IntlProvider>
  );
}

/** Adds a screen's own messages to those around it. */
export function MoreMessages({ messages, children }: { messages: Partial<Messages>; children: ReactNode }) {
  const around = useMessages();
  const all = useMemo(() => ({ ...around, ...messages }) as Messages, [around, messages]);
  return (
    <IntlProvider locale={useLocale()} messages={all}>
      {children}
    </IntlProvider>
  );
}
