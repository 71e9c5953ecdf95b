"use client";

// What is fetched after the page can be used, or when it is first wanted.
import dynamic from "next/dynamic";
import { Slot } from "radix-ui";
import { type ComponentType, type ReactElement, Suspense, useState } from "react";

/** The place of the notices. */
export const Toaster = dynamic(() => import("./toast-region").then((module) => module.ToastRegion), { ssr: false });

/** Where tooltips appear. */
export const Tooltips = dynamic(() => import("./tooltip-layer").then((module) => module.TooltipLayer), { ssr: false });

/** What a menu gets that is fetched by its button: its button, and that it is wanted open. */
export interface LazyMenuProps {
  trigger: ReactElement;
  defaultOpen: boolean;
}

/** A button whose menu, a `React.lazy` one, is fetched when it is first pressed; the menu gets the other properties. */
export function LazyMenu<Props>({
  trigger,
  menu: Menu,
  ...props
}: Props & { trigger: ReactElement; menu: ComponentType<Props & LazyMenuProps> }) {
  const [isWanted, setWanted] = useState(false);
  const button = (
    <Slot.Root aria-haspopup="menu" aria-expanded={isWanted} onClick={() => setWanted(true)}>
      {trigger}
    </Slot.Root>
  );
  if (!isWanted) return button;
  return (
    <Suspense fallback={button}>
      <Menu {...(props as Props)} trigger={trigger} defaultOpen />
    </Suspense>
  );
}
