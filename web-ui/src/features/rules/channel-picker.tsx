"use client";

import { CircleAlert } from "lucide-react";
import { useState } from "react";
import { useTranslations } from "use-intl";
import { Badge } from "@/components/ui/badge";
import { Checkbox } from "@/components/ui/checkbox";
import { ErrorState } from "@/components/ui/error-state";
import { Input } from "@/components/ui/input";
import { Link } from "@/components/ui/link";
import { Skeleton } from "@/components/ui/skeleton";
import { useChannels } from "./channel-names";

/** From so many channels on, there is a field to find one. */
const MANY = 8;

/** Chooses channels by their names. */
export function ChannelPicker({
  label,
  hint,
  chosen,
  error,
  onChange,
}: {
  label: string;
  hint?: string;
  chosen: number[];
  error?: string;
  onChange: (chosen: number[]) => void;
}) {
  const t = useTranslations("rules.channels");
  const { channels, error: failure, refetch } = useChannels();
  const [search, setSearch] = useState("");
  const toggle = (id: number) =>
    onChange(chosen.includes(id) ? chosen.filter((other) => other !== id) : [...chosen, id]);
  const shown = channels?.filter(({ name }) => name.toLowerCase().includes(search.trim().toLowerCase()));
  return (
    <fieldset className="grid gap-2">
      <legend className="mb-1 font-medium text-sm">{label}</legend>
      {hint && <p className="text-muted text-sm">{hint}</p>}
      {channels && channels.length > MANY && (
        <Input
          type="search"
          aria-label={t("search")}
          placeholder={t("search")}
          value={search}
          onChange={(event) => setSearch(event.target.value)}
        />
      )}
      {!shown && failure && <ErrorState error={failure} isInline onRetry={() => void refetch()} />}
      {!shown && !failure && <Skeleton className="h-10" />}
      {channels?.length === 0 && (
        <p className="text-muted text-sm">
          {t.rich("none", {
            link: (words) => (
              <Link href="/channels/" className="font-medium text-accent underline">
                {words}
              </Link>
            ),
          })}
        </p>
      )}
      {shown && shown.length > 0 && (
        <div className="grid max-h-52 gap-0.5 overflow-y-auto rounded-md border p-1 sm:grid-cols-2">
          {shown.map(({ id, name, platform, enabled }) => (
            // biome-ignore lint/a11y/noLabelWithoutControl: the checkbox inside is the control
            <label key={id} className="flex min-h-9 items-center gap-2.5 rounded-sm px-2 hover:bg-hover">
              <Checkbox checked={chosen.includes(id)} onCheckedChange={() => toggle(id)} />
              <bdi className="min-w-0 truncate">{name}</bdi>
              <span className="ms-auto shrink-0 text-muted text-xs">
                {enabled ? <bdi>{platform}</bdi> : <Badge>{t("off")}</Badge>}
              </span>
            </label>
          ))}
        </div>
      )}
      {error && (
        <p role="alert" className="flex items-start gap-1.5 text-critical text-sm">
          <CircleAlert className="mt-0.5 size-3.5 shrink-0" aria-hidden />
          {error}
        </p>
      )}
    </fieldset>
  );
}
