import type { Messages } from "use-intl";
import type { Locale } from "./locales";

/** One file of messages per feature: `src/messages/<locale>/<namespace>.json`. */
export type Namespace = keyof Messages;

/** What every screen can use without asking for it. */
export const EVERYWHERE = ["common", "errors", "shell"] as const satisfies Namespace[];

/** Reads the messages of some features; only while building. */
export async function loadMessages(locale: Locale, namespaces: readonly Namespace[]): Promise<Partial<Messages>> {
  const load = async (namespace: Namespace) => {
    const file = await import(`@/messages/${locale}/${namespace}.json`);
    return [namespace, file.default] as const;
  };
  return Object.fromEntries(await Promise.all(namespaces.map(load)));
}
