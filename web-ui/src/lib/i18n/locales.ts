/** The languages, which are also the first part of every path. The first is the fallback. */
export const LOCALES = ["en", "zh", "fa"] as const;
export type Locale = (typeof LOCALES)[number];

/** Each language's name in itself. */
export const LOCALE_NAMES: Record<Locale, string> = { en: "English", zh: "中文", fa: "فارسی" };

export function isLocale(text: string): text is Locale {
  return (LOCALES as readonly string[]).includes(text);
}

export function directionOf(locale: Locale): "ltr" | "rtl" {
  return locale === "fa" ? "rtl" : "ltr";
}

/** The path in another language; `path` begins with a language. */
export function pathIn(locale: Locale, path: string): string {
  return path.replace(/^\/[^/]*/, `/${locale}`);
}

/** Remembered by the server too: it decides where `/` leads. */
export function rememberLocale(locale: Locale): void {
  // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is missing in Firefox ESR
  document.cookie = `watchbell-locale=${locale}; path=/; max-age=31536000; samesite=lax`;
}
