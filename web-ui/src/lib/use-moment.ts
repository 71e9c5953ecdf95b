"use client";

import { useFormatter, useLocale } from "use-intl";

/**
 * What was chosen in a native field for a day or a moment, in the viewer's words, calendar and zone: browsers show
 * such fields in their own language, and always by the Gregorian calendar.
 */
export function useMoment(): (typed: string) => string | undefined {
  const format = useFormatter();
  const locale = useLocale();
  return (typed) => {
    const isDay = !typed.includes("T");
    const date = new Date(isDay ? `${typed}T00:00` : typed);
    if (Number.isNaN(date.getTime())) return undefined;
    if (isDay) return format.dateTime(date, { dateStyle: "full" });
    // The zone does not go together with the styles, which alone have the parts in the language's own order.
    const parts = new Intl.DateTimeFormat(locale, { timeZoneName: "short" }).formatToParts(date);
    const zone = parts.find(({ type }) => type === "timeZoneName")?.value;
    return `${format.dateTime(date, { dateStyle: "full", timeStyle: "short" })} (${zone})`;
  };
}
