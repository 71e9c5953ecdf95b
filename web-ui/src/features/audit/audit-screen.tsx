"use client";

import { ChevronRight, ScrollText } from "lucide-react";
import { useState } from "react";
import { useTranslations } from "use-intl";
import { EmptyState } from "@/components/ui/empty-state";
import { LoadPages } from "@/components/ui/load";
import { NothingMatches } from "@/components/ui/nothing-matches";
import { Page } from "@/components/ui/page";
import { RowList } from "@/components/ui/row-list";
import { RelativeTime } from "@/components/ui/time";
import { usePages } from "@/lib/api/pages";
import type { components } from "@/lib/api/schema";
import { cn } from "@/lib/cn";
import { useUrlState } from "@/lib/use-url-state";
import { Changes } from "./changes";
import { differences, nameOf } from "./differences";
import { Filters } from "./filters";
import { periodOf } from "./period";
import { useWords } from "./words";

type Entry = components["schemas"]["Page_AuditView"]["items"][number];

const FIELDS = ["user", "kind", "span", "from", "to"] as const;

/** Who changed what, latest first. The URL says what of it: `?kind=rule&user=2&span=week`. */
export function AuditScreen() {
  const t = useTranslations("audit");
  const [params, change] = useUrlState();
  const [openedAt] = useState(() => Date.now());
  const pages = usePages("/api/v1/audit", {
    limit: 100,
    user: Number(params.get("user")) || undefined,
    kind: params.get("kind") ?? undefined,
    ...periodOf(params, openedAt),
  });
  const isFiltered = FIELDS.some((field) => params.has(field));
  const clear = () => change(Object.fromEntries(FIELDS.map((field) => [field, undefined])));
  const nothing = (
    <EmptyState icon={ScrollText} title={t("empty.title")}>
      {t("empty.text")}
    </EmptyState>
  );
  return (
    <Page title={t("title")} description={t("description")}>
      {(isFiltered || pages.items?.length !== 0) && (
        <Filters
          params={params}
          entries={pages.items ?? []}
          onChange={change}
          onClear={isFiltered ? clear : undefined}
        />
      )}
      <LoadPages pages={pages} nothing={isFiltered ? <NothingMatches onClear={clear} /> : nothing}>
        {(entries) => (
          <RowList>
            {entries.map((entry) => (
              <Row key={entry.id} entry={entry} />
            ))}
          </RowList>
        )}
      </LoadPages>
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
