// What every route is made of: a screen of a feature, with the feature's messages in the page's language.
import type { Metadata } from "next";
import { type ComponentType, Suspense } from "react";
import type { Messages } from "use-intl";
import { MoreMessages } from "@/lib/i18n/intl";
import { isLocale, type Locale } from "@/lib/i18n/locales";
import { loadMessages, type Namespace } from "@/lib/i18n/messages";

interface Props {
  params: Promise<{ locale: string }>;
}

/** The language that a page is built for. */
export async function localeOf({ params }: Props): Promise<Locale> {
  const { locale } = await params;
  if (!isLocale(locale)) throw new Error(`no such language: ${locale}`);
  return locale;
}

/** The page of a screen. Its messages are those of `namespaces`, beside the ones that every screen has. */
export function screen(Screen: ComponentType, ...namespaces: Namespace[]) {
  return async function Route(props: Props) {
    const messages = await loadMessages(await localeOf(props), namespaces);
    return (
      <MoreMessages messages={messages}>
        <Suspense>
          <Screen />
        </Suspense>
      </MoreMessages>
    );
  };
}

/** The title of the browser's tab: the `title` among a feature's messages, or in a `part` of them. */
export function titleOf<Name extends Namespace>(namespace: Name, part?: keyof Messages[Name] & string) {
  return async (props: Props): Promise<Metadata> => {
    const messages = await loadMessages(await localeOf(props), [namespace]);
    const whole: Partial<Record<string, unknown>> | undefined = messages[namespace];
    const own: unknown = part ? whole?.[part] : whole;
    const title = typeof own === "object" && own !== null && "title" in own ? String(own.title) : undefined;
    return { title };
  };
}
