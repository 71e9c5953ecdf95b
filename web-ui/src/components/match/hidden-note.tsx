"use client";

import { EyeOff } from "lucide-react";
import { useTranslations } from "use-intl";
import { RelativeTime } from "@/components/ui/time";
import type { components } from "@/lib/api/schema";

/** How much a mute or a silence kept back, and when last. */
export function HiddenNote({ hidden: { count, last_at } }: { hidden: components["schemas"]["HiddenView"] }) {
  const t = useTranslations("match.hidden");
  return (
    <p className="flex items-center gap-1.5 text-muted text-sm">
      <EyeOff className="size-3.5 shrink-0" aria-hidden />
      <span>
        {t("count", { count })}
        {last_at && t.rich("last", { time: () => <RelativeTime at={last_at} /> })}
      </span>
    </p>
  );
}
