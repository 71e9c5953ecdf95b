"use client";

import { Send } from "lucide-react";
import dynamic from "next/dynamic";
import { useState } from "react";
import { useFormatter, useTranslations } from "use-intl";
import { Button } from "@/components/ui/button";
import { Cut } from "@/components/ui/cut";
import { DELIVERY_STATES, DeliveryBadge } from "@/components/ui/delivery";
import { EmptyState } from "@/components/ui/empty-state";
import { ChannelFilter, ClearFilters, FilterSelect } from "@/components/ui/filters";
import { Link } from "@/components/ui/link";
import { LoadPages } from "@/components/ui/load";
import { NothingMatches } from "@/components/ui/nothing-matches";
import { Page } from "@/components/ui/page";
import { SeverityBadge } from "@/components/ui/severity";
import { SortTh, useSort } from "@/components/ui/sort";
import { NUMBERS, Table, Td, Tr } from "@/components/ui/table";
import { RelativeTime } from "@/components/ui/time";
import { useLiveRefresh } from "@/lib/api/live";
import { usePages } from "@/lib/api/pages";
import type { components } from "@/lib/api/schema";
import { cn } from "@/lib/cn";
import { useUrlState } from "@/lib/use-url-state";

// Fetched when first opened.
const DeliveryDrawer = dynamic(() => import("./delivery-drawer").then((module) => module.DeliveryDrawer), {
  loading: () => null,
});

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
  const pages = usePages("/api/v1/deliveries", {
    state: params.get("state") ?? undefined,
    channel: params.get("channel") ?? undefined,
    since,
  });
  useLiveRefresh("/api/v1/deliveries");
  const opened = params.get("id");
  const isFiltered = FIELDS.some((field) => params.has(field));
  const clear = () => change(Object.fromEntries(FIELDS.map((field) => [field, undefined])));
  return (
    <Page title={t("title")} description={t("description")}>
      <Filters params={params} onChange={change} onClear={isFiltered ? clear : undefined} />
      <LoadPages pages={pages} nothing={isFiltered ? <NothingMatches onClear={clear} /> : <NothingSent />}>
        {(deliveries) => (
          <DeliveryTable deliveries={deliveries} isWhole={!pages.hasNextPage} onOpen={(id) => change({ id })} />
        )}
      </LoadPages>
      {opened && <DeliveryDrawer id={opened} onClose={() => change({ id: undefined })} />}
    </Page>
  );
}

function NothingSent() {
  const t = useTranslations("deliveries.empty");
  const action = (
    <Button asChild variant="primary">
      <Link href="/channels/">{t("action")}</Link>
    </Button>
  );
  return (
    <EmptyState icon={Send} title={t("title")} action={action}>
      {t("text")}
    </EmptyState>
  );
}

function Filters({
  params,
  onChange,
  onClear,
}: {
  params: URLSearchParams;
  onChange: (changes: Record<string, string | undefined>) => void;
  /** Absent while nothing is filtered. */
  onClear?: () => void;
}) {
  const t = useTranslations("deliveries.filters");
  const state = params.get("state") ?? "";
  return (
    <div className="mb-4 flex flex-wrap items-center gap-2">
      <fieldset className="flex flex-wrap gap-1">
        <legend className="sr-only">{t("state")}</legend>
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
        {onClear && <ClearFilters onClear={onClear} />}
        <ChannelFilter value={params.get("channel") ?? undefined} onChange={(channel) => onChange({ channel })} />
        <FilterSelect
          label={t("since")}
          all={t("ever")}
          options={[
            { value: "hour", label: t("hour") },
            { value: "day", label: t("day") },
            { value: "week", label: t("week") },
          ]}
          value={params.get("span") ?? undefined}
          onChange={(chosen) => onChange({ span: chosen, since: undefined })}
        />
      </div>
    </div>
  );
}

function DeliveryTable({
  deliveries,
  isWhole,
  onOpen,
}: {
  deliveries: Delivery[];
  /** No more pages are to come. */
  isWhole: boolean;
  onOpen: (id: string) => void;
}) {
  const t = useTranslations("deliveries");
  const { sorted, sorting } = useSort(
    deliveries,
    {
      state: ({ state }) => DELIVERY_STATES.indexOf(state),
      what: ({ subject }) => subject,
      channel: ({ channel_name }) => channel_name,
      answer: ({ detail }) => detail,
      attempts: ({ attempts }) => attempts,
      changed: ({ state_at }) => state_at,
    },
    isWhole,
  );
  return (
    <Table>
      <thead>
        <Tr>
          <SortTh column="state" sorting={sorting}>
            {t("columns.state")}
          </SortTh>
          <SortTh column="what" sorting={sorting} className="w-3/5">
            {t("columns.what")}
          </SortTh>
          <SortTh column="channel" sorting={sorting} className="max-sm:hidden">
            {t("columns.channel")}
          </SortTh>
          <SortTh column="answer" sorting={sorting} className="w-2/5 max-lg:hidden">
            {t("columns.answer")}
          </SortTh>
          <SortTh column="attempts" sorting={sorting} className={cn(NUMBERS, "max-md:hidden")}>
            {t("columns.attempts")}
          </SortTh>
          <SortTh column="changed" sorting={sorting} className="text-end">
            {t("columns.changed")}
          </SortTh>
        </Tr>
      </thead>
      <tbody>
        {sorted.map((delivery) => (
          <Row key={delivery.id} delivery={delivery} onOpen={onOpen} />
        ))}
      </tbody>
    </Table>
  );
}

function Row({ delivery, onOpen }: { delivery: Delivery; onOpen: (id: string) => void }) {
  const t = useTranslations("deliveries");
  const format = useFormatter();
  const { id, state, severity, channel_name, channel, detail, attempts, state_at } = delivery;
  const subject = delivery.subject || t("noSubject");
  const name = channel_name ?? t("gone", { id: String(channel) });
  return (
    <Tr>
      <Td>
        <DeliveryBadge state={state} />
      </Td>
      <Td className="max-w-0 py-2">
        <div className="flex min-w-0 items-center gap-2 max-sm:grid max-sm:justify-items-start max-sm:gap-1">
          {severity && <SeverityBadge severity={severity} />}
          <button
            type="button"
            className="min-w-0 max-w-full text-start font-medium hover:underline"
            aria-label={t("open", { subject, channel: name })}
            onClick={() => onOpen(id)}
          >
            <Cut>{subject}</Cut>
          </button>
        </div>
        <p className="text-muted text-sm sm:hidden">
          <Cut>{name}</Cut>
        </p>
      </Td>
      <Td className="max-w-44 max-sm:hidden">
        <Cut title={name}>{name}</Cut>
      </Td>
      <Td className="max-w-0 text-muted max-lg:hidden">
        <Cut>{detail || t("noAnswer")}</Cut>
      </Td>
      <Td className={cn(NUMBERS, "max-md:hidden")}>{format.number(attempts)}</Td>
      <Td className="text-end text-muted">
        <RelativeTime at={state_at} />
      </Td>
    </Tr>
  );
}
