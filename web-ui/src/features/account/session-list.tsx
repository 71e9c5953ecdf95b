"use client";

import { useQueryClient } from "@tanstack/react-query";
import { Braces, Monitor } from "lucide-react";
import { useTranslations } from "use-intl";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Confirm } from "@/components/ui/confirm";
import { ErrorState } from "@/components/ui/error-state";
import { Skeleton } from "@/components/ui/skeleton";
import { RelativeTime } from "@/components/ui/time";
import { api } from "@/lib/api/client";
import type { components } from "@/lib/api/schema";
import { describeAgent } from "./agent";

const SESSIONS = "/api/v1/me/sessions";

/** Where one is signed in, and a way to end it elsewhere. */
export function SessionList() {
  const t = useTranslations("account.sessions");
  const cache = useQueryClient();
  const { data, error, refetch } = api.useQuery("get", SESSIONS);
  const changed = () => cache.invalidateQueries({ queryKey: ["get", SESSIONS] });
  const endOthers = api.useMutation("delete", SESSIONS, { onSuccess: changed });
  const others = data?.items.filter(({ current }) => !current).length ?? 0;
  const endAll = others > 0 && (
    <Confirm
      trigger={<Button size="sm">{t("endOthers")}</Button>}
      title={t("endOthersTitle", { count: others })}
      action={t("endOthers")}
      onConfirm={() => endOthers.mutateAsync({})}
    >
      {t("endOthersText")}
    </Confirm>
  );
  return (
    <Card title={t("title")} aside={endAll}>
      {error && <ErrorState error={error} onRetry={refetch} isInline />}
      {!data && !error && <Skeleton className="h-12" />}
      <ul className="-my-2 divide-y divide-line">
        {data?.items.map((session) => (
          <SessionRow key={session.id} session={session} onEnded={changed} />
        ))}
      </ul>
    </Card>
  );
}

function SessionRow({
  session,
  onEnded,
}: {
  session: components["schemas"]["SessionView"];
  onEnded: () => Promise<void>;
}) {
  const t = useTranslations("account.sessions");
  const end = api.useMutation("delete", "/api/v1/me/sessions/{id}", { onSuccess: onEnded });
  const Icon = session.kind === "browser" ? Monitor : Braces;
  const name = describeAgent(session.agent);
  return (
    <li className="flex items-center gap-3 py-3">
      <Icon className="size-5 shrink-0 text-muted" strokeWidth={1.75} aria-hidden />
      <div className="min-w-0 flex-1">
        <p className="flex items-center gap-2 font-medium" title={session.agent}>
          <bdi className="truncate">{name}</bdi>
          {session.current && <Badge tone="success">{t("current")}</Badge>}
        </p>
        <p className="text-muted text-sm">
          <bdi className="font-mono">{session.address}</bdi>
          {" · "}
          {t.rich("seen", { time: () => <RelativeTime at={session.last_seen_at} /> })}
        </p>
        {end.error && <ErrorState error={end.error} isInline />}
      </div>
      {!session.current && (
        <Button
          size="sm"
          isBusy={end.isPending}
          aria-label={t("endOne", { name })}
          onClick={() => end.mutate({ params: { path: { id: session.id } } })}
        >
          {t("end")}
        </Button>
      )}
    </li>
  );
}
