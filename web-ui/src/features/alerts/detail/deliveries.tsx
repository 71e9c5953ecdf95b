"use client";

import { ArrowDown, Send } from "lucide-react";
import { useTranslations } from "use-intl";
import { Reason } from "@/components/match/reason";
import { Badge } from "@/components/ui/badge";
import { AttemptList, DeliveryBadge } from "@/components/ui/delivery";
import { RelativeTime } from "@/components/ui/time";
import type { components } from "@/lib/api/schema";

type EventDetail = components["schemas"]["EventDetail"];

/** Why an event went where it went, and what each channel answered. */
export function Deliveries({ event }: { event: EventDetail }) {
  const t = useTranslations("alerts.detail");
  return (
    <div className="grid gap-6">
      <section className="grid gap-2">
        <h3 className="font-semibold">{t("why")}</h3>
        {event.reasons.length === 0 && <p className="text-muted">{t("noReasons")}</p>}
        <ol className="grid gap-1.5">
          {event.reasons.map((reason) => (
            <li key={reason} className="flex gap-2 text-sm">
              <ArrowDown className="mt-0.5 size-3.5 shrink-0 text-muted" aria-hidden />
              <Reason text={reason} />
            </li>
          ))}
        </ol>
        {event.ending && event.ending !== "delivered" && (
          <p>
            <Badge tone="warning">{t(`endings.${event.ending}`)}</Badge>{" "}
            {event.drop_reason && <bdi className="text-muted text-sm">{event.drop_reason}</bdi>}
          </p>
        )}
      </section>
      <section className="grid gap-3">
        <h3 className="font-semibold">{t("where")}</h3>
        {event.deliveries.length === 0 && <p className="text-muted">{t("nowhere")}</p>}
        {event.deliveries.map((delivery) => (
          <article key={delivery.id} className="grid gap-3 rounded-lg border p-4">
            <header className="flex flex-wrap items-center gap-2">
              <Send className="size-4 text-muted rtl:-scale-x-100" aria-hidden />
              <h4 className="font-medium">
                <bdi>{delivery.channel_name ?? t("gone", { id: String(delivery.channel) })}</bdi>
              </h4>
              <DeliveryBadge state={delivery.state} />
              <span className="ms-auto text-muted text-sm">
                <RelativeTime at={delivery.state_at} />
              </span>
            </header>
            <AttemptList tries={delivery.tries} />
          </article>
        ))}
        {event.burials.map(({ at, reason }) => (
          <p key={at} className="rounded-md bg-critical-soft p-3 text-sm">
            <span className="font-medium">{t("buried")}</span> <bdi>{reason}</bdi>
          </p>
        ))}
      </section>
    </div>
  );
}
