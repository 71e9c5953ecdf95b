"use client";

import { ArrowRight, CircleCheck, CircleX, Hourglass, Inbox } from "lucide-react";
import { useTranslations } from "use-intl";
import { Reason } from "@/components/match/reason";
import { Badge } from "@/components/ui/badge";
import { Card } from "@/components/ui/card";
import { EmptyState } from "@/components/ui/empty-state";
import { ErrorState } from "@/components/ui/error-state";
import { Link } from "@/components/ui/link";
import { SeverityBadge } from "@/components/ui/severity";
import { Skeleton, SkeletonRows } from "@/components/ui/skeleton";
import { api } from "@/lib/api/client";
import type { components } from "@/lib/api/schema";
import { useChannels } from "./channels";
import { Drill } from "./drill";
import { SampleButton } from "./first-alert";
import { useLatestEvent } from "./latest-event";

const AGAIN_MS = 1_500;

/** The way of the alert that came last: what became of it, and where the rules would send it now. */
export function RouteStep() {
  const t = useTranslations("welcome.route");
  const { event, isKnown, error } = useLatestEvent();
  const channels = useChannels().channels?.filter(({ push_token, enabled }) => push_token && enabled) ?? [];
  const token = channels[0]?.push_token;
  const again = token && <SampleButton token={token} />;
  // It is asked again by itself.
  if (!isKnown) return error ? <ErrorState error={error} isInline /> : <SkeletonRows count={3} />;
  if (!event) {
    return (
      <EmptyState icon={Inbox} title={t("none.title")} action={again}>
        {t("none.text")}
      </EmptyState>
    );
  }
  return (
    <div className="grid gap-5">
      <Outcome id={event.id} />
      <Preview id={event.id} />
      <div className="flex flex-wrap items-center gap-4">
        {again}
        <Link href="/rules/" className="font-medium text-accent underline underline-offset-4">
          {t("rules")}
        </Link>
      </div>
      <Drill channels={channels} />
    </div>
  );
}

function Outcome({ id }: { id: string }) {
  const t = useTranslations("welcome.route");
  const params = { path: { id } };
  const { data, error, refetch } = api.useQuery(
    "get",
    "/api/v1/events/{id}",
    { params },
    { refetchInterval: AGAIN_MS, staleTime: 0 },
  );
  if (error && !data) return <ErrorState error={error} onRetry={refetch} isInline />;
  if (!data) return <Skeleton className="h-32 rounded-lg" />;
  return (
    <Card title={t("was")}>
      <p className="flex flex-wrap items-center gap-2">
        {data.analysis && <SeverityBadge severity={data.analysis.severity} />}
        <bdi className="font-medium">{data.subject}</bdi>
      </p>
      <ul className="mt-4 grid gap-2">
        {data.deliveries.map((delivery) => (
          <Delivery key={delivery.id} delivery={delivery} />
        ))}
      </ul>
      {data.deliveries.length === 0 && <p className="text-muted">{data.routed_at ? t("nowhere") : t("underway")}</p>}
    </Card>
  );
}

function Delivery({ delivery }: { delivery: components["schemas"]["DeliveryDetail"] }) {
  const t = useTranslations("welcome.route");
  const isDone = delivery.state === "delivered" || delivery.state === "deduplicated";
  const isWrong = delivery.state === "failed" || delivery.state === "dead";
  const Icon = isDone ? CircleCheck : isWrong ? CircleX : Hourglass;
  return (
    <li className="flex flex-wrap items-center gap-2">
      <ArrowRight className="size-4 shrink-0 text-muted rtl:-scale-x-100" aria-hidden />
      <bdi className="font-medium">{delivery.channel_name ?? delivery.channel}</bdi>
      <Badge tone={isDone ? "success" : isWrong ? "critical" : "neutral"}>
        <Icon aria-hidden />
        {t(`states.${delivery.state}`)}
      </Badge>
      <bdi className="min-w-0 truncate text-muted text-sm">{delivery.detail}</bdi>
    </li>
  );
}

function Preview({ id }: { id: string }) {
  const t = useTranslations("welcome.route");
  const { data, error, refetch } = api.useQuery(
    "post",
    "/api/v1/rules/test",
    { body: { event_id: id } },
    { staleTime: 0 },
  );
  if (error && !data) return <ErrorState error={error} onRetry={refetch} isInline />;
  if (!data) return <Skeleton className="h-32 rounded-lg" />;
  return (
    <Card title={t("now")}>
      <p className="-mt-2 mb-3 text-muted">{t("nowText")}</p>
      <p className="flex flex-wrap items-center gap-2">
        {data.channels.map(({ id: channel, name }) => (
          <Badge key={channel} tone="accent">
            <bdi>{name}</bdi>
          </Badge>
        ))}
        {data.channels.length === 0 && <span className="font-medium text-warning">{t("nowhere")}</span>}
      </p>
      <ol className="mt-3 grid gap-1 rounded-md bg-sunken p-3 text-sm">
        {data.reasons.map((reason) => (
          <li key={reason}>
            <Reason text={reason} />
          </li>
        ))}
      </ol>
    </Card>
  );
}
