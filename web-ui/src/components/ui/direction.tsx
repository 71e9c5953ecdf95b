"use client";

import { Direction as Radix } from "radix-ui";
import type { ReactNode } from "react";

/** Tells menus, tabs and lists which way the arrow keys go. */
export function Direction({ direction, children }: { direction: "ltr" | "rtl"; children: ReactNode }) {
  return <Radix.Provider dir={direction}>{children}</Radix.Provider>;
}
