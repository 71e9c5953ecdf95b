"use client";

import { Toaster as Sonner } from "sonner";
import { useLocale, useTranslations } from "use-intl";
import { directionOf } from "@/lib/i18n/locales";

/** Where short notices appear. Shown through `toaster.tsx`. */
export function ToastRegion() {
  const t = useTranslations("common");
  const direction = directionOf(useLocale());
  return (
    <Sonner
      dir={direction}
      position={direction === "rtl" ? "bottom-left" : "bottom-right"}
      containerAriaLabel={t("notices")}
      toastOptions={{
        unstyled: true,
        classNames: {
          toast:
            "flex w-full items-center gap-3 rounded-md border bg-surface px-4 py-3 text-base text-ink shadow-floating",
          description: "text-muted text-sm",
          actionButton: "ms-auto rounded-sm px-2 py-1 font-medium text-accent hover:bg-hover",
          error: "text-critical",
        },
      }}
    />
  );
}
