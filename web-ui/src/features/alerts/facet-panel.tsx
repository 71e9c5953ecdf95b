"use client";

import { useTranslations } from "use-intl";
import { FacetList } from "@/components/ui/facets";
import { SEVERITIES } from "@/components/ui/severity";
import { Skeleton } from "@/components/ui/skeleton";
import { api } from "@/lib/api/client";
import { chosenOf, type FacetName, type Filter } from "./filter";

/** As many as fit beside the list; what is chosen is always among them. */
const SHOWN = 8;
const GROUPS = ["severity", "system", "category", "channel", "rule", "source"] as const;

export interface FacetProps {
  filter: Filter;
  onChange: (name: FacetName, values: string[]) => void;
}

/** The values that alerts have, to narrow the list to some of them. */
export function FacetPanel(props: FacetProps) {
  return (
    <div className="grid gap-5">
      {GROUPS.map((name) => (
        <Group key={name} name={name} {...props} />
      ))}
    </div>
  );
}

/** The facets of the alerts that pass all of the filter but one part, whose other values stay to be chosen. */
export function useFacets({ ...filter }: Filter, except: FacetName) {
  delete filter[except];
  if (except === "status") delete filter.silenced;
  return api.useQuery("get", "/api/v1/facets", { params: { query: filter } }, { placeholderData: (before) => before })
    .data;
}

/** As much room as a group with some values needs. */
function FacetSkeleton() {
  return (
    <div className="grid gap-3 py-1">
      <Skeleton className="w-16" />
      <Skeleton className="w-4/5" />
      <Skeleton className="w-3/5" />
    </div>
  );
}

/** What rules are called, by their ids. */
function useRuleNames(isWanted: boolean): Map<string, string> | undefined {
  const { data } = api.useQuery("get", "/api/v1/rules", {}, { enabled: isWanted });
  return data && new Map(data.items.map(({ id, name }) => [String(id), name]));
}

function Group({ name, filter, onChange }: FacetProps & { name: (typeof GROUPS)[number] }) {
  const t = useTranslations("alerts.facets");
  const severity = useTranslations("common.severity");
  const facets = useFacets(filter, name);
  const found = facets?.[name] ?? [];
  const rules = useRuleNames(name === "rule" && found.length > 0);
  const chosen = chosenOf(filter, name);
  const missing = chosen.filter((value) => !found.some((facet) => facet.value === value));
  const all = [...missing.map((value) => ({ value, count: 0, name: undefined })), ...found];
  const ordered =
    name === "severity" ? SEVERITIES.flatMap((each) => all.find(({ value }) => value === each) ?? []) : all;
  if (!facets) return <FacetSkeleton />;
  const shown = ordered.filter(({ value }, index) => value !== "" && (index < SHOWN || chosen.includes(value)));
  if (shown.length === 0) return null;
  const label = (value: string, known?: string | null) => {
    const word = [...SEVERITIES].find((each) => name === "severity" && each === value);
    return word ? severity(word) : <bdi>{known ?? rules?.get(value) ?? value}</bdi>;
  };
  return (
    <FacetList
      title={t(name)}
      facets={shown.map(({ value, count, name: known }) => ({ value, count, label: label(value, known) }))}
      chosen={chosen}
      onChange={(values) => onChange(name, values)}
    />
  );
}
