"use client";

import type { ReactNode } from "react";
import { useFormatter } from "use-intl";
import { Checkbox } from "./checkbox";

export interface Facet {
  value: string;
  label: ReactNode;
  count?: number;
}

/** The values that a list can be narrowed to, with how many there are of each. */
export function FacetList({
  title,
  facets,
  chosen,
  onChange,
}: {
  title: string;
  facets: Facet[];
  chosen: string[];
  onChange: (chosen: string[]) => void;
}) {
  const format = useFormatter();
  const toggle = (value: string) =>
    onChange(chosen.includes(value) ? chosen.filter((other) => other !== value) : [...chosen, value]);
  return (
    <fieldset className="min-w-0">
      <legend className="mb-1 font-medium text-muted text-sm">{title}</legend>
      {facets.map(({ value, label, count }) => (
        // biome-ignore lint/a11y/noLabelWithoutControl: the checkbox inside is the control
        <label key={value} className="-mx-2 flex h-8 items-center gap-2.5 rounded-sm px-2 hover:bg-hover">
          <Checkbox checked={chosen.includes(value)} onCheckedChange={() => toggle(value)} />
          <span className="min-w-0 flex-1 truncate">{label}</span>
          {count !== undefined && <span className="text-muted text-sm tabular-nums">{format.number(count)}</span>}
        </label>
      ))}
    </fieldset>
  );
}
