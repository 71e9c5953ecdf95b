"use client";

import type { LucideIcon } from "lucide-react";
import { RadioGroup } from "radix-ui";
import type { ReactNode } from "react";

/** One of a few, each with its picture. */
export function Tiles<Value extends string>({
  label,
  tiles,
  value,
  onChange,
}: {
  label: string;
  tiles: { value: Value; icon: LucideIcon; name: ReactNode }[];
  value: Value;
  onChange: (value: Value) => void;
}) {
  return (
    <RadioGroup.Root
      aria-label={label}
      value={value}
      onValueChange={(next) => onChange(tiles.find((tile) => tile.value === next)?.value ?? value)}
      className="grid grid-cols-[repeat(auto-fit,minmax(7.5rem,1fr))] gap-2"
    >
      {tiles.map(({ value: each, icon: Icon, name }) => (
        <RadioGroup.Item
          key={each}
          value={each}
          className="grid justify-items-start gap-3 rounded-lg border bg-surface p-3.5 text-start font-medium hover:border-line-strong data-[state=checked]:border-accent data-[state=checked]:bg-accent-soft"
        >
          <Icon className="size-5 text-accent" strokeWidth={1.75} aria-hidden />
          {name}
        </RadioGroup.Item>
      ))}
    </RadioGroup.Root>
  );
}
