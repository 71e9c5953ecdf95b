"use client";

import { CircleCheck, CircleX } from "lucide-react";
import { useFormatter, useTranslations } from "use-intl";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Link } from "@/components/ui/link";
import { NUMBERS, Table, Td, Th, Tr } from "@/components/ui/table";
import { RelativeTime } from "@/components/ui/time";
import type { components } from "@/lib/api/schema";

type Schemas = components["schemas"];

/** Channels that do not get their messages, worst first. */
export function FailingCard({ failing }: { failing: Schemas["FailingChannel"][] }) {
  const t = useTranslations("overview.failing");
  return (
    <Card title={t("title")} aside={<span className="text-muted text-sm">{t("hint")}</span>}>
      {failing.length === 0 && (
        <p className="flex items-center gap-2 text-muted">
          <CircleCheck className="size-4 text-success" aria-hidden />
          {t("none")}
        </p>
      )}
      <ul className="grid gap-3">
        {failing.map(({ channel, name, dead, waiting, last_at }) => (
          <li key={channel} className="flex flex-wrap items-center gap-2">
            <Link href={`/deliveries/?channel=${channel}`} className="me-auto font-medium hover:underline">
              <bdi>{name ?? t("gone", { id: String(channel) })}</bdi>
            </Link>
            {dead > 0 && (
              <Link href={`/dead-letters/?channel=${channel}`}>
                <Badge tone="critical">
                  <CircleX aria-hidden />
                  {t("dead", { count: dead })}
                </Badge>
              </Link>
            )}
            {waiting > 0 && <Badge tone="warning">{t("waiting", { count: waiting })}</Badge>}
            <span className="text-muted text-sm">
              <RelativeTime at={last_at} />
            </span>
          </li>
        ))}
      </ul>
    </Card>
  );
}

/** The processes, with their heartbeats. */
export function ServicesCard({ services }: { services: Schemas["ServiceView"][] }) {
  const t = useTranslations("overview.services");
  return (
    <Card title={t("title")}>
      <ul className="grid gap-3">
        {services.map(({ name, up, version, host, pid, last_seen, started_at }) => (
          <li key={`${name} ${host} ${pid} ${started_at}`} className="flex flex-wrap items-center gap-x-2 gap-y-1">
            <bdi className="font-medium">{name}</bdi>
            <bdi className="text-muted text-sm">{version}</bdi>
            {host && <bdi className="truncate text-muted text-sm max-sm:hidden">{host}</bdi>}
            <span className="ms-auto text-muted text-sm">
              {up
                ? t.rich("since", { time: () => <RelativeTime at={started_at} /> })
                : t.rich("seen", { time: () => <RelativeTime at={last_seen} /> })}
            </span>
            <Badge tone={up ? "success" : "critical"}>
              {up ? <CircleCheck aria-hidden /> : <CircleX aria-hidden />}
              {up ? t("up") : t("down")}
            </Badge>
          </li>
        ))}
      </ul>
    </Card>
  );
}

const PLACES = ["ready", "waiting", "held", "leased", "dead"] as const;

/** How many jobs are where, in the order in which an alert passes the queues. */
export function QueuesCard({ queues }: { queues: Schemas["QueueView"][] }) {
  const t = useTranslations("overview.queues");
  const format = useFormatter();
  return (
    <Card title={t("title")}>
      <Table>
        <thead>
          <Tr>
            <Th>{t("queue")}</Th>
            {PLACES.map((place) => (
              <Th key={place} className={NUMBERS}>
                {t(place)}
              </Th>
            ))}
          </Tr>
        </thead>
        <tbody>
          {queues.map((depths) => (
            <Tr key={depths.queue}>
              <Td className="whitespace-nowrap">{t(`names.${depths.queue}`)}</Td>
              {PLACES.map((place) => (
                <Td key={place} className={depths[place] === 0 ? `${NUMBERS} text-muted` : NUMBERS}>
                  {format.number(depths[place])}
                </Td>
              ))}
            </Tr>
          ))}
        </tbody>
      </Table>
    </Card>
  );
}

/** The models that are asked, and what of today's budget is spent. */
export function ModelCard({ model }: { model: Schemas["ModelView"] | null | undefined }) {
  const t = useTranslations("overview.model");
  const format = useFormatter();
  if (!model) {
    return (
      <Card title={t("title")}>
        <p className="mb-3 text-muted">{t("none")}</p>
        <Button asChild size="sm">
          <Link href="/ai/">{t("connect")}</Link>
        </Button>
      </Card>
    );
  }
  const { models, daily_tokens: limit, spent_tokens: spent } = model;
  return (
    <Card title={t("title")}>
      <p className="text-muted text-sm">{t("order")}</p>
      <ol className="mt-1 mb-4 grid list-inside list-decimal gap-1">
        {models.map((name) => (
          <li key={name}>
            <bdi className="font-medium">{name}</bdi>
          </li>
        ))}
      </ol>
      {limit ? (
        <div className="grid gap-2">
          <p className="text-sm tabular-nums">
            {t("tokens", { spent: format.number(spent ?? 0), limit: format.number(limit) })}
          </p>
          <div className="h-1.5 overflow-hidden rounded-full bg-hover" aria-hidden>
            <div className="h-full bg-accent" style={{ width: `${Math.min(((spent ?? 0) / limit) * 100, 100)}%` }} />
          </div>
        </div>
      ) : (
        <p className="text-muted text-sm">{t("unlimited")}</p>
      )}
    </Card>
  );
}
