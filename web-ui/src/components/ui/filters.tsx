"use client";

// What stands above a list to narrow it.
import { X } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { api } from "@/lib/api/client";
import { Button } from "./button";
import { Select } from "./select";

const ALL = "all";

/** One of some values, or all of them. */
export function FilterSelect({
  label,
  all,
  options,
  value,
  onChange,
}: {
  label: string;
  /** What it is called when nothing is chosen. */
  all: string;
  options: { value: string; label: ReactNode }[];
  value: string | undefined;
  onChange: (value: string | undefined) => void;
}) {
  return (
    <Select
      aria-label={label}
      className="w-44 max-sm:flex-1"
      value={value ?? ALL}
      onValueChange={(chosen) => onChange(chosen === ALL ? undefined : chosen)}
      options={[{ value: ALL, label: all }, ...options]}
    />
  );
}

/** One channel by its id, or all. */
export function ChannelFilter({
  value,
  onChange,
}: {
  value: string | undefined;
  onChange: (id: string | undefined) => void;
}) {
  const t = useTranslations("common.filters");
  const channels = api.useQuery("get", "/api/v1/channels").data?.items ?? [];
  return (
    <FilterSelect
      label={t("channel")}
      all={t("allChannels")}
      options={channels.map(({ id, name }) => ({ value: String(id), label: <bdi>{name}</bdi> }))}
      value={value}
      onChange={onChange}
    />
  );
}

export function ClearFilters({ onClear }: { onClear: () => void }) {
  const t = useTranslations("common.filters");
  return (
    <Button variant="ghost" onClick={onClear}>
      <X aria-hidden />
      {t("clear")}
    </Button>
  );
}
