"use client";

import { SearchX, Send } from "lucide-react";
import { useState } from "react";
import { useFormatter, useTranslations } from "use-intl";
import { Button } from "@/components/ui/button";
import { DELIVERY_STATES, DeliveryBadge } from "@/components/ui/delivery";
import { EmptyState } from "@/components/ui/empty-state";
import { ErrorState } from "@/components/ui/error-state";
import { Link } from "@/components/ui/link";
import { LoadMore } from "@/components/ui/load-more";
import { Page } from "@/components/ui/page";
import { Select } from "@/components/ui/select";
import { SkeletonRows } from "@/components/ui/skeleton";
import { NUMBERS, Table, Td, Th, Tr } from "@/components/ui/table";
import { RelativeTime } from "@/components/ui/time";
import { api } from "@/lib/api/client";
import { useLiveRefresh } from "@/lib/api/live";
import type { components } from "@/lib/api/schema";
import { cn } from "@/lib/cn";
import { useUrlState } from "@/lib/use-url-state";
import { DeliveryDrawer } from "./delivery-drawer";

type Delivery = components["schemas"]["DeliveryView"];

const HOUR_MS = 3_600_000;
const SPANS = { hour: HOUR_MS, day: 24 * HOUR_MS, week: 7 * 24 * HOUR_MS } as const;
type Span = keyof typeof SPANS;
const FIELDS = ["state", "channel", "span", "since"] as const;

/** Each alert on its way to each channel, those that moved last first. */
export function DeliveriesScreen() {
  const t = useTranslations("deliveries");
  const [params, change] = useUrlState();
  const [openedAt] = useState(() => Date.now());
  const span = Object.keys(SPANS).find((each): each is Span => each === params.get("span"));
  const since = params.get("since") ?? (span && new Date(openedAt - SPANS[span]).toISOString());
  const query = api.useInfiniteQuery(
    "get",
    "/api/v1/deliveries",
    {
      params: {
        query: { state: params.get("state") ?? undefined, channel: params.get("channel") ?? undefined, since },
      },
    },
    { initialPageParam: null, getNextPageParam: (page) => page.next_cursor },
  );
  useLiveRefresh("/api/v1/deliveries");
  const deliveries = query.data?.pages.flatMap((page) => page.items);
  const opened = params.get("id");
  const isFiltered = FIELDS.some((field) => params.has(field));
  const clear = () => change(Object.fromEntries(FIELDS.map((field) => [field, undefined])));

  return (
    <Page title={t("title")} description={t("description")}>
      <Filters params={params} isFiltered={isFiltered} onChange={change} onClear={clear} />
      {query.error && !deliveries ? (
        <ErrorState error={query.error} onRetry={query.refetch} />
      ) : !deliveries ? (
        <SkeletonRows />
      ) : deliveries.length === 0 && !query.hasNextPage ? (
        <Nothing isFiltered={isFiltered} onClear={clear} />
      ) : (
        <>
          <DeliveryTable deliveries={deliveries} onOpen={(id) => change({ id })} />
          <LoadMore
            shown={deliveries.length}
            hasMore={query.hasNextPage}
            isLoading={query.isFetchingNextPage}
            onMore={() => void query.fetchNextPage()}
          />
        </>
      )}
      {opened && <DeliveryDrawer id={opened} onClose={() => change({ id: undefined })} />}
    </Page>
  );
}

function Nothing({ isFiltered, onClear }: { isFiltered: boolean; onClear: () => void }) {
  const t = useTranslations("deliveries");
  if (isFiltered) {
    return (
      <EmptyState
        icon={SearchX}
        title={t("nothing.title")}
        action={<Button onClick={onClear}>{t("filters.clear")}</Button>}
      >
        {t("nothing.text")}
      </EmptyState>
    );
  }
  const action = (
    <Button asChild variant="primary">
      <Link href="/channels/">{t("empty.action")}</Link>
    </Button>
  );
  return (
    <EmptyState icon={Send} title={t("empty.title")} action={action}>
      {t("empty.text")}
    </EmptyState>
  );
}

function Filters({
  params,
  isFiltered,
  onChange,
  onClear,
}: {
  params: URLSearchParams;
  isFiltered: boolean;
  onChange: (changes: Record<string, string | undefined>) => void;
  onClear: () => void;
}) {
  const t = useTranslations("deliveries");
  const channels = api.useQuery("get", "/api/v1/channels").data?.items ?? [];
  const state = params.get("state") ?? "";
  const pick = (name: string) => (value: string) => onChange({ [name]: value === "all" ? undefined : value });
  return (
    <div className="mb-4 flex flex-wrap items-center gap-2">
      <fieldset className="flex flex-wrap gap-1">
        <legend className="sr-only">{t("filters.state")}</legend>
        {DELIVERY_STATES.map((each) => (
          <button
            key={each}
            type="button"
            aria-pressed={state === each}
            onClick={() => onChange({ state: state === each ? undefined : each })}
            className="rounded-md border border-transparent p-1 hover:bg-hover aria-pressed:border-accent aria-pressed:bg-accent-soft"
          >
            <DeliveryBadge state={each} />
          </button>
        ))}
      </fieldset>
      <div className="ms-auto flex flex-wrap gap-2">
        {isFiltered && (
          <Button variant="ghost" onClick={onClear}>
            {t("filters.clear")}
          </Button>
        )}
        <Select
          aria-label={t("filters.channel")}
          className="w-44"
          value={params.get("channel") ?? "all"}
          onValueChange={pick("channel")}
          options={[
            { value: "all", label: t("filters.allChannels") },
            ...channels.map(({ id, name }) => ({ value: String(id), label: <bdi>{name}</bdi> })),
          ]}
        />
        <Select
          aria-label={t("filters.since")}
          className="w-44"
          value={params.get("span") ?? "all"}
          onValueChange={(value) => onChange({ span: value === "all" ? undefined : value, since: undefined })}
          options={[
            { value: "all", label: t("filters.ever") },
            { value: "hour", label: t("filters.hour") },
            { value: "day", label: t("filters.day") },
            { value: "week", label: t("filters.week") },
          ]}
        />
      </div>
    </div>
  );
}

function DeliveryTable({ deliveries, onOpen }: { deliveries: Delivery[]; onOpen: (id: string) => void }) {
  const t = useTranslations("deliveries");
  const format = useFormatter();
  return (
    <Table>
      <thead>
        <Tr>
          <Th>{t("columns.state")}</Th>
          <Th>{t("columns.channel")}</Th>
          <Th className="w-full max-sm:hidden">{t("columns.answer")}</Th>
          <Th className={cn(NUMBERS, "max-sm:hidden")}>{t("columns.attempts")}</Th>
          <Th className="text-end">{t("columns.changed")}</Th>
        </Tr>
      </thead>
      <tbody>
        {deliveries.map(({ id, state, channel, channel_name, detail, attempts, state_at }) => {
          const name = channel_name ?? t("gone", { id: String(channel) });
          return (
            <Tr key={id}>
              <Td>
                <DeliveryBadge state={state} />
              </Td>
              <Td>
                <button
                  type="button"
                  className="whitespace-nowrap text-start font-medium hover:underline"
                  aria-label={t("open", { channel: name })}
                  onClick={() => onOpen(id)}
                >
                  <bdi>{name}</bdi>
                </button>
              </Td>
              <Td className="max-w-0 truncate text-muted max-sm:hidden">
                {detail ? <bdi>{detail}</bdi> : t("noAnswer")}
              </Td>
              <Td className={cn(NUMBERS, "max-sm:hidden")}>{format.number(attempts)}</Td>
              <Td className="text-end text-muted">
                <RelativeTime at={state_at} />
              </Td>
            </Tr>
          );
        })}
      </tbody>
    </Table>
  );
}
