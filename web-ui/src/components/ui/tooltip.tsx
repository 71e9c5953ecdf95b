"use client";

import { Slot } from "radix-ui";
import type { ReactNode } from "react";

/** A few words about the child, on hover and on focus. Never the only place of something needed. */
export function Tooltip({ text, children }: { text: string; children: ReactNode }) {
  // Shown by the one `TooltipLayer` of the page: a list of thousands of times has no component for each.
  return <Slot.Root data-tooltip={text}>{children}</Slot.Root>;
}
