"use client";

import { Slot } from "radix-ui";
import { lazy, type ReactNode, Suspense, useRef, useState } from "react";

const load = () => import("./question").then((module) => ({ default: module.Question }));
const Question = lazy(load);

export interface ConfirmProps {
  title: ReactNode;
  /** What it will do. */
  children: ReactNode;
  /** The verb on the button: "Delete 3 rules", never "OK". */
  action: ReactNode;
  isDangerous?: boolean;
  onConfirm: () => Promise<unknown>;
}

/**
 * Asks before something that is hard to undo, and shows what it will do: `children` is the list of what it
 * touches. It stays open until `onConfirm` is through, and says what went wrong. The question is fetched when its
 * button is pointed at.
 */
export function Confirm({ trigger, ...question }: ConfirmProps & { trigger: ReactNode }) {
  const [isOpen, setOpen] = useState<boolean>();
  const button = useRef<HTMLElement>(null);
  const prefetch = () => void load();
  return (
    <>
      <Slot.Root
        ref={button}
        aria-haspopup="dialog"
        aria-expanded={isOpen === true}
        onPointerEnter={prefetch}
        onFocus={prefetch}
        onClick={() => setOpen(true)}
      >
        {trigger}
      </Slot.Root>
      {isOpen !== undefined && (
        <Suspense>
          <Question {...question} open={isOpen} onOpenChange={setOpen} onClosed={() => button.current?.focus()} />
        </Suspense>
      )}
    </>
  );
}
