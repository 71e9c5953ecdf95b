"use client";

import { LayoutDashboard } from "lucide-react";
import dynamic from "next/dynamic";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button";
import { EmptyState } from "@/components/ui/empty-state";
import { ErrorState } from "@/components/ui/error-state";
import { Kpi } from "@/components/ui/kpi";
import { Link } from "@/components/ui/link";
import { Page } from "@/components/ui/page";
import { STATUS_LOOKS, STATUSES } from "@/components/ui/severity";
import { Skeleton } from "@/components/ui/skeleton";
import { api } from "@/lib/api/client";
import { useLiveRefresh } from "@/lib/api/live";
import type { components } from "@/lib/api/schema";
import { BooksCard } from "./books-card";
import { FailingCard, ModelCard, QueuesCard, ServicesCard } from "./cards";

// The chart is heavy: it comes after what is read first.
const SeriesCard = dynamic(() => import("./series-card").then((module) => module.SeriesCard), {
  ssr: false,
  loading: () => <Skeleton className="h-80 rounded-lg" />,
});

/** Heartbeats and queues move without an event. */
const REFRESH_MS = 10_000;
/** The server counts no further. */
const COUNTED_MAX = 10_000;

/** The books first, then what happens right now. */
export function OverviewScreen() {
  const t = useTranslations("overview");
  const { data, error, refetch } = api.useQuery("get", "/api/v1/overview", {}, { refetchInterval: REFRESH_MS });
  useLiveRefresh("/api/v1/overview");
  return (
    <Page title={t("title")} description={t("description")}>
      {error && !data ? (
        <ErrorState error={error} onRetry={refetch} />
      ) : !data ? (
        <Waiting />
      ) : data.books.received === 0 && data.books.unaccounted === 0 ? (
        <Nothing />
      ) : (
        <div className="grid grid-cols-1 gap-4">
          <BooksCard books={data.books} />
          <Counters alerts={data.alerts} />
          <SeriesCard />
          <div className="grid grid-cols-1 items-start gap-4 lg:grid-cols-2">
            <FailingCard failing={data.failing} />
            <ServicesCard services={data.services} />
            {data.queues.length > 0 && <QueuesCard queues={data.queues} />}
            <ModelCard model={data.model} />
          </div>
        </div>
      )}
    </Page>
  );
}

function Counters({ alerts }: { alerts: components["schemas"]["AlertCounts"] }) {
  const t = useTranslations("overview");
  const word = useTranslations("common.status");
  return (
    <section aria-label={t("counters")} className="grid grid-cols-2 gap-4 md:grid-cols-4">
      {STATUSES.map((status) => (
        <Kpi
          key={status}
          label={word(status)}
          icon={STATUS_LOOKS[status].icon}
          value={alerts[status]}
          note={alerts[status] >= COUNTED_MAX && t("many")}
          tone={status === "firing" && alerts.firing > 0 ? "critical" : "neutral"}
          href={status === "silenced" ? "/alerts/?silenced=true" : `/alerts/?status=${status}`}
        />
      ))}
    </section>
  );
}

function Waiting() {
  return (
    <div className="grid gap-4" aria-busy>
      <Skeleton className="h-44 rounded-lg" />
      <div className="grid grid-cols-2 gap-4 md:grid-cols-4">
        {STATUSES.map((status) => (
          <Skeleton key={status} className="h-20 rounded-lg" />
        ))}
      </div>
      <Skeleton className="h-80 rounded-lg" />
    </div>
  );
}

function Nothing() {
  const t = useTranslations("overview");
  const action = (
    <Button asChild variant="primary">
      <Link href="/welcome/">{t("empty.action")}</Link>
    </Button>
  );
  return (
    <EmptyState icon={LayoutDashboard} title={t("empty.title")} action={action}>
      {t("empty.text")}
    </EmptyState>
  );
}
