"use client";

import { useMutation } from "@tanstack/react-query";
import { Download, SearchX, ShieldCheck, X } from "lucide-react";
import { useState } from "react";
import { useFormatter, useTranslations } from "use-intl";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Cut } from "@/components/ui/cut";
import { EmptyState } from "@/components/ui/empty-state";
import { ErrorState } from "@/components/ui/error-state";
import { LoadPages } from "@/components/ui/load";
import { SearchInput } from "@/components/ui/search-input";
import { Select } from "@/components/ui/select";
import { SortTh, useSort } from "@/components/ui/sort";
import { NUMBERS, Table, Td, Tr } from "@/components/ui/table";
import { RelativeTime } from "@/components/ui/time";
import { client } from "@/lib/api/client";
import { usePages } from "@/lib/api/pages";
import type { components } from "@/lib/api/schema";
import { cn } from "@/lib/cn";
import { useUrlState } from "@/lib/use-url-state";

type Interception = components["schemas"]["InterceptionView"];

const DAY_MS = 86_400_000;
const SPANS = { day: DAY_MS, week: 7 * DAY_MS, month: 30 * DAY_MS } as const;
type Span = keyof typeof SPANS;

/** Who used which key from elsewhere, latest first. */
export function Interceptions() {
  const t = useTranslations("gateway.log");
  const [params, change] = useUrlState();
  const [openedAt] = useState(() => Date.now());
  const q = params.get("q") ?? "";
  const key = params.get("key") ?? undefined;
  const span = Object.keys(SPANS).find((each): each is Span => each === params.get("span"));
  const since = span && new Date(openedAt - SPANS[span]).toISOString();
  const filter = { q: q || undefined, key, since };
  const pages = usePages("/api/v1/gateway/interceptions", filter);
  const isFiltered = q !== "" || key !== undefined || span !== undefined;
  const none = isFiltered ? "nothing" : "empty";
  return (
    <>
      <div className="mb-4 flex flex-wrap gap-2">
        <SearchInput
          className="w-72 max-sm:w-full"
          label={t("search")}
          value={q}
          onChange={(words) => change({ q: words })}
        />
        {key && (
          <Button variant="ghost" onClick={() => change({ key: undefined })}>
            <X aria-hidden />
            {t("oneKey")}
          </Button>
        )}
        <Select
          aria-label={t("since")}
          className="ms-auto w-44 max-sm:w-full"
          value={span ?? "all"}
          onValueChange={(value) => change({ span: value === "all" ? undefined : value })}
          options={[
            { value: "all", label: t("ever") },
            ...(["day", "week", "month"] as const).map((value) => ({ value, label: t(`spans.${value}`) })),
          ]}
        />
        <Export filter={filter} />
      </div>
      <LoadPages
        pages={pages}
        nothing={
          <EmptyState icon={isFiltered ? SearchX : ShieldCheck} title={t(`${none}.title`)}>
            {t(`${none}.text`)}
          </EmptyState>
        }
      >
        {(lines) => <Lines lines={lines} isWhole={!pages.hasNextPage} />}
      </LoadPages>
    </>
  );
}

/** All that match, as a file. Fetched, because a link could not say for which tenant. */
function Export({ filter }: { filter: { q?: string; key?: string; since?: string } }) {
  const t = useTranslations("gateway.log");
  const save = useMutation({
    mutationFn: async () => {
      const path = "/api/v1/gateway/interceptions.csv";
      const { data } = await client.GET(path, { params: { query: filter }, parseAs: "blob" });
      const link = document.createElement("a");
      link.href = URL.createObjectURL(data ?? new Blob());
      link.download = "interceptions.csv";
      link.click();
      URL.revokeObjectURL(link.href);
    },
  });
  return (
    <>
      <Button isBusy={save.isPending} onClick={() => save.mutate()}>
        <Download aria-hidden />
        {t("export")}
      </Button>
      {save.error && (
        <div className="basis-full">
          <ErrorState error={save.error} isInline />
        </div>
      )}
    </>
  );
}

/** `isWhole`: no more pages are to come. */
function Lines({ lines, isWhole }: { lines: Interception[]; isWhole: boolean }) {
  const t = useTranslations("gateway.log");
  const format = useFormatter();
  const outcome = ({ refused, reason }: Interception) => (refused ? t(`refused.${reason}`) : t("observed"));
  const { sorted, sorting } = useSort(
    lines,
    {
      key: ({ masked }) => masked,
      outcome,
      attempted: ({ attempted }) => attempted,
      bound: ({ bound }) => bound,
      request: ({ method, path }) => `${path} ${method}`,
      uses: ({ uses }) => uses,
      at: ({ at }) => at,
    },
    isWhole,
  );
  return (
    <Table>
      <thead>
        <Tr>
          <SortTh column="key" sorting={sorting}>
            {t("columns.key")}
          </SortTh>
          <SortTh column="outcome" sorting={sorting}>
            {t("columns.outcome")}
          </SortTh>
          <SortTh column="attempted" sorting={sorting} className="max-sm:hidden">
            {t("columns.attempted")}
          </SortTh>
          <SortTh column="bound" sorting={sorting} className="max-sm:hidden">
            {t("columns.bound")}
          </SortTh>
          <SortTh column="request" sorting={sorting} className="w-full max-sm:hidden">
            {t("columns.request")}
          </SortTh>
          <SortTh column="uses" sorting={sorting} className={cn(NUMBERS, "max-sm:hidden")}>
            {t("columns.uses")}
          </SortTh>
          <SortTh column="at" sorting={sorting} className="text-end">
            {t("columns.at")}
          </SortTh>
        </Tr>
      </thead>
      <tbody>
        {sorted.map((line) => (
          <Tr key={line.id}>
            <Td className="whitespace-nowrap font-mono text-sm max-sm:w-full max-sm:py-2">
              <bdi>{line.masked}</bdi>
              <bdi className="block sm:hidden">{line.attempted}</bdi>
            </Td>
            <Td>
              <Badge tone={line.refused ? "critical" : "warning"}>{outcome(line)}</Badge>
            </Td>
            <Td className="whitespace-nowrap font-mono text-sm max-sm:hidden">
              <bdi>{line.attempted}</bdi>
            </Td>
            <Td className="max-w-48 font-mono text-muted text-sm max-sm:hidden">
              <Cut>{line.bound}</Cut>
            </Td>
            <Td className="max-w-0 font-mono text-muted text-sm max-sm:hidden">
              <Cut>
                {line.method} {line.path}
              </Cut>
            </Td>
            <Td className={cn(NUMBERS, "max-sm:hidden")}>{format.number(line.uses)}</Td>
            <Td className="text-end text-muted">
              <RelativeTime at={new Date(line.at)} />
            </Td>
          </Tr>
        ))}
      </tbody>
    </Table>
  );
}
