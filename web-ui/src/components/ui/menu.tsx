"use client";

import { Check } from "lucide-react";
import { DropdownMenu as Radix } from "radix-ui";
import type { ComponentProps, ReactNode } from "react";
import { cn } from "@/lib/cn";

/** A button that opens a list of actions or choices. */
export function Menu({
  trigger,
  align = "end",
  defaultOpen,
  children,
}: {
  trigger: ReactNode;
  align?: "start" | "end";
  defaultOpen?: boolean;
  children: ReactNode;
}) {
  return (
    <Radix.Root modal={false} defaultOpen={defaultOpen}>
      <Radix.Trigger asChild>{trigger}</Radix.Trigger>
      <Radix.Portal>
        <Radix.Content
          align={align}
          sideOffset={6}
          collisionPadding={8}
          className="z-50 min-w-44 rounded-md border bg-surface p-1 shadow-floating data-[state=open]:animate-in data-[state=open]:fade-in"
        >
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

const row =
  "relative flex h-8 cursor-default select-none items-center gap-2 rounded-sm px-2 text-base outline-none data-highlighted:bg-hover [&_svg]:size-4 [&_svg]:text-muted";

export function MenuItem({ className, ...props }: ComponentProps<typeof Radix.Item>) {
  return <Radix.Item className={cn(row, className)} {...props} />;
}

/** One of several; the chosen one is marked. */
export function MenuChoice({
  isChosen,
  children,
  ...props
}: ComponentProps<typeof Radix.Item> & { isChosen: boolean }) {
  return (
    <Radix.Item role="menuitemradio" aria-checked={isChosen} className={cn(row, "ps-8")} {...props}>
      {isChosen && <Check className="absolute start-2" aria-hidden />}
      {children}
    </Radix.Item>
  );
}

export function MenuSeparator() {
  return <Radix.Separator className="-mx-1 my-1 h-px bg-line" />;
}
