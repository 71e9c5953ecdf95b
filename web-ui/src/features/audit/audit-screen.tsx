"use client";

import { useInfiniteQuery } from "@tanstack/react-query";
import { ChevronRight, ScrollText } from "lucide-react";
import { useState } from "react";
import { useTranslations } from "use-intl";
import { EmptyState } from "@/components/ui/empty-state";
import { ErrorState } from "@/components/ui/error-state";
import { LoadMore } from "@/components/ui/load-more";
import { Page } from "@/components/ui/page";
import { Select } from "@/components/ui/select";
import { SkeletonRows } from "@/components/ui/skeleton";
import { RelativeTime } from "@/components/ui/time";
import { client } from "@/lib/api/client";
import type { components } from "@/lib/api/schema";
import { cn } from "@/lib/cn";
import { useUrlState } from "@/lib/use-url-state";
import { Changes } from "./changes";
import { differences, nameOf } from "./differences";
import { useWords } from "./words";

type Entry = components["schemas"]["Page_AuditView"]["items"][number];

const ALL = "all";
const PAGE = 100;

/** The page at a cursor; an empty one is the first. */
async function readPage(cursor: string, signal: AbortSignal) {
  const query = { limit: PAGE, ...(cursor && { cursor }) };
  const { data } = await client.GET("/api/v1/audit", { params: { query }, signal });
  return data;
}

/** Who changed what, latest first. `?kind=rule` shows one kind of thing. */
export function AuditScreen() {
  const t = useTranslations("audit");
  const { kindName } = useWords();
  const [params, change] = useUrlState();
  const { data, error, refetch, hasNextPage, isFetchingNextPage, fetchNextPage } = useInfiniteQuery({
    queryKey: ["get", "/api/v1/audit", "pages"],
    queryFn: ({ pageParam, signal }) => readPage(pageParam, signal),
    initialPageParam: "",
    getNextPageParam: (page) => page?.next_cursor || undefined,
  });
  const entries = data?.pages.flatMap((page) => page?.items ?? []);
  const kind = params.get("kind");
  const shown = entries?.filter((entry) => !kind || entry.kind === kind);
  const kinds = [...new Set([...(entries?.map((entry) => entry.kind) ?? []), ...(kind ? [kind] : [])])];
  const filter = (
    <Select
      className="w-48"
      aria-label={t("filter")}
      options={[{ value: ALL, label: t("allKinds") }, ...kinds.map((value) => ({ value, label: kindName(value) }))]}
      value={kind ?? ALL}
      onValueChange={(value) => change({ kind: value === ALL ? undefined : value })}
    />
  );
  return (
    <Page title={t("title")} description={t("description")} actions={entries?.length ? filter : undefined}>
      {!entries && error ? (
        <ErrorState error={error} onRetry={() => void refetch()} />
      ) : !entries || !shown ? (
        <SkeletonRows />
      ) : entries.length === 0 ? (
        <EmptyState icon={ScrollText} title={t("empty.title")}>
          {t("empty.text")}
        </EmptyState>
      ) : (
        <>
          {shown.length > 0 ? (
            <ul className="divide-y divide-line rounded-lg border bg-surface">
              {shown.map((entry) => (
                <Row key={entry.id} entry={entry} />
              ))}
            </ul>
          ) : (
            <p className="rounded-lg border border-dashed px-4 py-8 text-muted">{t("noneOfKind")}</p>
          )}
          {error && <ErrorState error={error} isInline onRetry={() => void fetchNextPage()} />}
          <LoadMore
            shown={shown.length}
            hasMore={hasNextPage}
            isLoading={isFetchingNextPage}
            onMore={() => void fetchNextPage()}
          />
        </>
      )}
    </Page>
  );
}

function Row({ entry }: { entry: Entry }) {
  const t = useTranslations("audit");
  const { kindName, actionName } = useWords();
  const [isOpen, setOpen] = useState(false);
  const found = differences(entry.before, entry.after);
  const name = nameOf(entry.after, entry.before);
  return (
    <li>
      <div className="flex items-center gap-3 pe-4 hover:bg-hover/50">
        <button
          type="button"
          aria-expanded={isOpen}
          onClick={() => setOpen(!isOpen)}
          className="flex min-w-0 flex-1 items-start gap-2 py-2.5 ps-3 text-start outline-offset-[-2px]"
        >
          <ChevronRight
            className={cn("mt-0.5 size-4 shrink-0 text-muted rtl:-scale-x-100", isOpen && "rotate-90 rtl:rotate-90")}
            aria-hidden
          />
          <span className="min-w-0 flex-1">
            <span className="font-medium">{actionName(entry.action)}</span>
            {" · "}
            {kindName(entry.kind)} {name ? <bdi className="font-medium">{name}</bdi> : null}{" "}
            {entry.item && !name && <bdi className="font-mono text-muted text-xs">{entry.item}</bdi>}
            <span className="block truncate text-muted text-sm">
              <bdi>{entry.actor || t("nobody")}</bdi>
              {entry.address && " · "}
              {entry.address && <bdi>{entry.address}</bdi>}
            </span>
          </span>
        </button>
        <span className="shrink-0 text-muted text-sm">
          <RelativeTime at={entry.at} />
        </span>
      </div>
      {isOpen && <Changes found={found} entry={entry} />}
    </li>
  );
}
