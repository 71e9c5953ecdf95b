"use client";

import { useFormatter } from "use-intl";

const DAY = { weekday: "long", year: "numeric", month: "long", day: "numeric" } as const;
const MOMENT = { ...DAY, hour: "numeric", minute: "numeric", timeZoneName: "short" } as const;

/**
 * What was chosen in a native field for a day or a moment, in the viewer's words, calendar and zone: browsers show
 * such fields in their own language, and always by the Gregorian calendar.
 */
export function useMoment(): (typed: string) => string | undefined {
  const format = useFormatter();
  return (typed) => {
    const isDay = !typed.includes("T");
    const date = new Date(isDay ? `${typed}T00:00` : typed);
    return Number.isNaN(date.getTime()) ? undefined : format.dateTime(date, isDay ? DAY : MOMENT);
  };
}
