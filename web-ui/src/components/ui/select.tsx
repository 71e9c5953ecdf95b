"use client";

import { Check, ChevronDown } from "lucide-react";
import { Select as Radix } from "radix-ui";
import type { ComponentProps, ReactNode } from "react";
import { cn } from "@/lib/cn";

type Props = ComponentProps<typeof Radix.Root> &
  Pick<
    ComponentProps<typeof Radix.Trigger>,
    "id" | "className" | "aria-label" | "aria-describedby" | "aria-invalid"
  > & {
    options: { value: string; label: ReactNode }[];
    placeholder?: string;
  };

export function Select({ options, placeholder, className, onValueChange, value, defaultValue, ...props }: Props) {
  const { name, required, disabled, open, onOpenChange, ...trigger } = props;
  return (
    <Radix.Root {...{ name, required, disabled, open, onOpenChange, onValueChange, value, defaultValue }}>
      <Radix.Trigger
        className={cn(
          "inline-flex h-9 w-full items-center justify-between gap-2 rounded-md border border-line-strong bg-surface px-3 text-base aria-invalid:border-critical disabled:bg-sunken disabled:text-muted data-placeholder:text-muted",
          className,
        )}
        {...trigger}
      >
        <Radix.Value placeholder={placeholder} />
        <ChevronDown className="size-4 shrink-0 text-muted" aria-hidden />
      </Radix.Trigger>
      <Radix.Portal>
        <Radix.Content
          position="popper"
          sideOffset={4}
          className="z-50 max-h-(--radix-select-content-available-height) min-w-(--radix-select-trigger-width) overflow-hidden rounded-md border bg-surface p-1 shadow-floating"
        >
          <Radix.Viewport>
            {options.map(({ value, label }) => (
              <Radix.Item
                key={value}
                value={value}
                className="relative flex h-8 cursor-default select-none items-center rounded-sm ps-7 pe-3 text-base outline-none data-highlighted:bg-hover"
              >
                <Radix.ItemIndicator className="absolute start-2">
                  <Check className="size-3.5" aria-hidden />
                </Radix.ItemIndicator>
                <Radix.ItemText>{label}</Radix.ItemText>
              </Radix.Item>
            ))}
          </Radix.Viewport>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
