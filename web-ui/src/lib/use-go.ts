"use client";

import { useRouter } from "next/navigation";
import { useLocale } from "use-intl";

/** Goes to a screen in the current language, as a link to `/alerts/` would. */
export function useGo(): (href: string) => void {
  const router = useRouter();
  const locale = useLocale();
  return (href) => router.push(`/${locale}${href}`);
}
