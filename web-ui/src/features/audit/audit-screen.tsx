"use client";

import { ChevronRight, ScrollText } from "lucide-react";
import { useState } from "react";
import { useTranslations } from "use-intl";
import { EmptyState } from "@/components/ui/empty-state";
import { FilterSelect } from "@/components/ui/filters";
import { LoadPages } from "@/components/ui/load";
import { Page } from "@/components/ui/page";
import { RowList } from "@/components/ui/row-list";
import { RelativeTime } from "@/components/ui/time";
import { usePages } from "@/lib/api/pages";
import type { components } from "@/lib/api/schema";
import { cn } from "@/lib/cn";
import { useUrlState } from "@/lib/use-url-state";
import { Changes } from "./changes";
import { differences, nameOf } from "./differences";
import { useWords } from "./words";

type Entry = components["schemas"]["Page_AuditView"]["items"][number];

/** Who changed what, latest first. `?kind=rule` shows one kind of thing. */
export function AuditScreen() {
  const t = useTranslations("audit");
  const { kindName } = useWords();
  const [params, change] = useUrlState();
  const pages = usePages("/api/v1/audit", { limit: 100 });
  const kind = params.get("kind") ?? undefined;
  const kinds = [...new Set([...(pages.items?.map((entry) => entry.kind) ?? []), ...(kind ? [kind] : [])])];
  const filter = (
    <FilterSelect
      label={t("filter")}
      all={t("allKinds")}
      options={kinds.map((value) => ({ value, label: kindName(value) }))}
      value={kind}
      onChange={(chosen) => change({ kind: chosen })}
    />
  );
  const nothing = (
    <EmptyState icon={ScrollText} title={t("empty.title")}>
      {t("empty.text")}
    </EmptyState>
  );
  return (
    <Page title={t("title")} description={t("description")} actions={pages.items?.length ? filter : undefined}>
      <LoadPages pages={pages} nothing={nothing}>
        {(entries) => <Entries entries={entries.filter((entry) => !kind || entry.kind === kind)} />}
      </LoadPages>
    </Page>
  );
}

function Entries({ entries }: { entries: Entry[] }) {
  const t = useTranslations("audit");
  if (entries.length === 0) {
    return <p className="rounded-lg border border-dashed px-4 py-8 text-muted">{t("noneOfKind")}</p>;
  }
  return (
    <RowList>
      {entries.map((entry) => (
        <Row key={entry.id} entry={entry} />
      ))}
    </RowList>
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
