"use client";

import { useFormatter, useTranslations } from "use-intl";
import type { components } from "@/lib/api/schema";
import type { Difference } from "./differences";

type Entry = components["schemas"]["Page_AuditView"]["items"][number];

/** What a change did, value by value: the old one struck out beside the new one. */
export function Changes({ found, entry }: { found: Difference[]; entry: Entry }) {
  const t = useTranslations("audit");
  const format = useFormatter();
  return (
    <div className="grid gap-3 border-t bg-sunken px-4 py-3 ps-9">
      <p className="text-muted text-sm">
        {format.dateTime(new Date(entry.at), { dateStyle: "full", timeStyle: "medium" })}
        {entry.item && (
          <>
            {" · "}
            {t("item")} <bdi className="font-mono text-xs">{entry.item}</bdi>
          </>
        )}
      </p>
      {found.length === 0 ? (
        <p className="text-muted">{t("noDifference")}</p>
      ) : (
        <dl className="grid gap-x-4 gap-y-2 sm:grid-cols-[minmax(8rem,auto)_1fr]">
          {found.map(({ path, before, after }) => (
            <div key={path} className="contents">
              <dt className="text-muted text-sm">
                <bdi className="font-mono text-xs">{path || t("value")}</bdi>
              </dt>
              <dd className="flex min-w-0 flex-wrap gap-1.5 break-words font-mono text-xs max-sm:mb-2">
                {before !== undefined && (
                  <del className="min-w-0 rounded-sm bg-critical-soft px-1.5 leading-5.5 text-critical">
                    <span className="sr-only">{t("before")} </span>
                    <bdi className="break-all">{before}</bdi>
                  </del>
                )}
                {after !== undefined && (
                  <ins className="min-w-0 rounded-sm bg-success-soft px-1.5 leading-5.5 text-success no-underline">
                    <span aria-hidden>+ </span>
                    <span className="sr-only">{t("after")} </span>
                    <bdi className="break-all">{after}</bdi>
                  </ins>
                )}
              </dd>
            </div>
          ))}
        </dl>
      )}
    </div>
  );
}
