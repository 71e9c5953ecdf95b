"use client";

// Deliveries as several screens show them. Their words are those of `deliveries`: name it in the route of the screen.
import { ArchiveX, CircleCheck, Clock, Copy, Hourglass, type LucideIcon, RotateCw } from "lucide-react";
import { useFormatter, useTranslations } from "use-intl";
import type { components } from "@/lib/api/schema";
import { Badge, type Tone } from "./badge";
import { RelativeTime } from "./time";

export type DeliveryState = components["schemas"]["StateWord"];
type Attempt = components["schemas"]["AttemptView"];

export const DELIVERY_STATES = ["pending", "rate_limited", "failed", "dead", "deduplicated", "delivered"] as const;

const LOOKS: Record<DeliveryState, { icon: LucideIcon; tone: Tone }> = {
  pending: { icon: Clock, tone: "neutral" },
  rate_limited: { icon: Hourglass, tone: "warning" },
  failed: { icon: RotateCw, tone: "warning" },
  dead: { icon: ArchiveX, tone: "critical" },
  deduplicated: { icon: Copy, tone: "neutral" },
  delivered: { icon: CircleCheck, tone: "success" },
};

/** Where a delivery stands, by icon, word and colour together. */
export function DeliveryBadge({ state }: { state: DeliveryState }) {
  const t = useTranslations("deliveries.states");
  const { icon: Icon, tone } = LOOKS[state];
  return (
    <Badge tone={tone}>
      <Icon aria-hidden />
      {t(state)}
    </Badge>
  );
}

/** Every try to get a message through, with the provider's own words. */
export function AttemptList({ tries }: { tries: Attempt[] }) {
  const t = useTranslations("deliveries");
  const format = useFormatter();
  if (tries.length === 0) return <p className="text-muted text-sm">{t("noAttempts")}</p>;
  return (
    <ol className="grid gap-2 border-s ps-4">
      {tries.map(({ number, at, outcome, detail }) => (
        <li key={`${number} ${at}`} className="grid gap-1 text-sm">
          <div className="flex flex-wrap items-center gap-2">
            <span className="text-muted tabular-nums">{t("attempt", { number: format.number(number) })}</span>
            <DeliveryBadge state={outcome} />
            <span className="text-muted">
              <RelativeTime at={at} />
            </span>
          </div>
          {detail && <bdi className="break-words font-mono text-xs">{detail}</bdi>}
        </li>
      ))}
    </ol>
  );
}
