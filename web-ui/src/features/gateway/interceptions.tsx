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
import { NUMBERS, Table, Td, Th, Tr } from "@/components/ui/table";
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
        {(lines) => <Lines lines={lines} />}
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

function Lines({ lines }: { lines: Interception[] }) {
  const t = useTranslations("gateway.log");
  const format = useFormatter();
  return (
    <Table>
      <thead>
        <Tr>
          <Th>{t("columns.key")}</Th>
          <Th>{t("columns.outcome")}</Th>
          <Th>{t("columns.attempted")}</Th>
          <Th className="max-sm:hidden">{t("columns.bound")}</Th>
          <Th className="w-full max-sm:hidden">{t("columns.request")}</Th>
          <Th className={cn(NUMBERS, "max-sm:hidden")}>{t("columns.uses")}</Th>
          <Th className="text-end">{t("columns.at")}</Th>
        </Tr>
      </thead>
      <tbody>
        {lines.map(({ id, masked, refused, reason, attempted, bound, method, path, uses, at }) => (
          <Tr key={id}>
            <Td className="whitespace-nowrap font-mono text-sm">
              <bdi>{masked}</bdi>
            </Td>
            <Td>
              <Badge tone={refused ? "critical" : "warning"}>{refused ? t(`refused.${reason}`) : t("observed")}</Badge>
            </Td>
            <Td className="whitespace-nowrap font-mono text-sm">
              <bdi>{attempted}</bdi>
            </Td>
            <Td className="max-w-48 font-mono text-muted text-sm max-sm:hidden">
              <Cut>{bound}</Cut>
            </Td>
            <Td className="max-w-0 font-mono text-muted text-sm max-sm:hidden">
              <Cut>
                {method} {path}
              </Cut>
            </Td>
            <Td className={cn(NUMBERS, "max-sm:hidden")}>{format.number(uses)}</Td>
            <Td className="text-end text-muted">
              <RelativeTime at={new Date(at)} />
            </Td>
          </Tr>
        ))}
      </tbody>
    </Table>
  );
}
