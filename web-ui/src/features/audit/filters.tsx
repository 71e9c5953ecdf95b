"use client";

import { useLocale, useTranslations } from "use-intl";
import { ClearFilters, FilterSelect } from "@/components/ui/filters";
import { Input } from "@/components/ui/input";
import { api } from "@/lib/api/client";
import type { components } from "@/lib/api/schema";
import { useMoment } from "@/lib/use-moment";
import { NAMED, SPANS } from "./period";
import { KINDS, useWords } from "./words";

type Entry = components["schemas"]["AuditView"];
type Change = (changes: Record<string, string | undefined>) => void;

/** What narrows the log: person, kind of thing, time. */
export function Filters({
  params,
  entries,
  onChange,
  onClear,
}: {
  params: URLSearchParams;
  entries: Entry[];
  onChange: Change;
  /** Absent while nothing is filtered. */
  onClear?: () => void;
}) {
  const t = useTranslations("audit");
  const { kindName } = useWords();
  const locale = useLocale();
  const kind = params.get("kind") ?? undefined;
  const kinds = [...new Set([...KINDS, ...entries.map((entry) => entry.kind), ...(kind ? [kind] : [])])]
    .map((value) => ({ value, label: kindName(value) }))
    .sort((one, other) => one.label.localeCompare(other.label, locale));
  return (
    <div className="mb-4 flex flex-wrap items-center gap-2">
      <PersonFilter entries={entries} value={params.get("user") ?? undefined} onChange={onChange} />
      <FilterSelect
        label={t("filter")}
        all={t("allKinds")}
        options={kinds}
        value={kind}
        onChange={(chosen) => onChange({ kind: chosen })}
      />
      <TimeFilter params={params} onChange={onChange} />
      {onClear && <ClearFilters onClear={onClear} />}
    </div>
  );
}

function PersonFilter({ entries, value, onChange }: { entries: Entry[]; value: string | undefined; onChange: Change }) {
  const t = useTranslations("audit.person");
  const users = api.useQuery("get", "/api/v1/users").data?.items ?? [];
  const names = new Map<string, string>();
  // Who left, or belongs to another tenant, is known by what they did.
  if (value) names.set(value, t("gone", { id: value }));
  for (const { user, actor } of entries) if (user) names.set(String(user), actor);
  for (const { id, email } of users) names.set(String(id), email);
  return (
    <FilterSelect
      label={t("label")}
      all={t("all")}
      options={[...names].map(([id, name]) => ({ value: id, label: <bdi>{name}</bdi> }))}
      value={value}
      onChange={(chosen) => onChange({ user: chosen })}
    />
  );
}

function TimeFilter({ params, onChange }: { params: URLSearchParams; onChange: Change }) {
  const t = useTranslations("audit.time");
  const moment = useMoment();
  const span = params.get("span") ?? undefined;
  const [from, to] = [moment(params.get("from") ?? ""), moment(params.get("to") ?? "")];
  const day = (name: "from" | "to") => (
    <Input
      type="date"
      aria-label={t(name)}
      className="w-40 max-sm:flex-1"
      value={params.get(name) ?? ""}
      onChange={(event) => onChange({ [name]: event.target.value || undefined })}
    />
  );
  return (
    <>
      <FilterSelect
        label={t("label")}
        all={t("ever")}
        options={[
          ...Object.entries(SPANS).map(([value, days]) => ({ value, label: t("last", { days }) })),
          { value: NAMED, label: t("named") },
        ]}
        value={span}
        onChange={(chosen) => onChange({ span: chosen, from: undefined, to: undefined })}
      />
      {span === NAMED && (
        <div className="flex items-center gap-2 max-sm:w-full">
          {day("from")}
          <span aria-hidden>–</span>
          {day("to")}
        </div>
      )}
      {span === NAMED && (from || to) && (
        <p aria-live="polite" className="basis-full text-muted text-sm">
          {from ?? "…"} – {to ?? "…"}
        </p>
      )}
    </>
  );
}
