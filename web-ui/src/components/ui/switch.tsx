"use client";

import { Switch as Radix } from "radix-ui";
import type { ComponentProps } from "react";
import { cn } from "@/lib/cn";

export function Switch({ className, ...props }: ComponentProps<typeof Radix.Root>) {
  return (
    <Radix.Root
      className={cn(
        "relative h-5 w-9 shrink-0 rounded-full bg-line-strong transition-colors disabled:opacity-55 data-[state=checked]:bg-accent",
        className,
      )}
      {...props}
    >
      <Radix.Thumb className="absolute start-0.5 top-0.5 block size-4 rounded-full bg-surface shadow-raised transition-[inset-inline-start] data-[state=checked]:start-4.5" />
    </Radix.Root>
  );
}
