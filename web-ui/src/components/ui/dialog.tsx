"use client";

import { X } from "lucide-react";
import { Dialog as Radix } from "radix-ui";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { cn } from "@/lib/cn";
import { Button } from "./button";

interface Props {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: ReactNode;
  description?: ReactNode;
  children?: ReactNode;
  /** The buttons at its foot; the one that does it stands last. */
  footer?: ReactNode;
  className?: string;
}

const overlay =
  "fixed inset-0 z-40 bg-scrim data-[state=closed]:animate-out data-[state=open]:animate-in data-[state=closed]:fade-out data-[state=open]:fade-in";

/** A question or a small form in front of the page. On a phone it comes up from below. */
export function Dialog({ className, ...props }: Props) {
  return (
    <Frame
      {...props}
      className={cn(
        "inset-x-0 bottom-0 max-h-[85dvh] w-full rounded-t-lg sm:inset-x-auto sm:top-[12vh] sm:bottom-auto sm:left-1/2 sm:max-w-lg sm:-translate-x-1/2 sm:rounded-lg data-[state=open]:fade-in data-[state=closed]:fade-out data-[state=open]:slide-in-from-bottom-4",
        className,
      )}
    />
  );
}

/** A panel at the end side of the page, for the details of what is in a list. */
export function Drawer({ className, ...props }: Props) {
  return (
    <Frame
      {...props}
      className={cn(
        "inset-y-0 end-0 w-full border-s sm:max-w-2xl data-[state=closed]:slide-out-to-right data-[state=open]:slide-in-from-right rtl:data-[state=closed]:slide-out-to-left rtl:data-[state=open]:slide-in-from-left",
        className,
      )}
    />
  );
}

function focusWhole(event: Event): void {
  event.preventDefault();
  if (event.currentTarget instanceof HTMLElement) event.currentTarget.focus();
}

function Frame({ open, onOpenChange, title, description, children, footer, className }: Props) {
  const t = useTranslations("common");
  return (
    <Radix.Root open={open} onOpenChange={onOpenChange}>
      <Radix.Portal>
        <Radix.Overlay className={overlay} />
        <Radix.Content
          data-modal
          // Its name is read first; what stands first in it is how to leave.
          onOpenAutoFocus={focusWhole}
          {...(!description && { "aria-describedby": undefined })}
          className={cn(
            "fixed z-50 flex flex-col bg-surface shadow-floating outline-none data-[state=closed]:animate-out data-[state=open]:animate-in",
            className,
          )}
        >
          <div className="flex items-start gap-4 px-5 pt-4 pb-3">
            <div className="min-w-0 flex-1">
              <Radix.Title className="wrap-anywhere font-semibold text-lg">{title}</Radix.Title>
              {description && <Radix.Description className="mt-1 text-muted">{description}</Radix.Description>}
            </div>
            <Radix.Close asChild>
              <Button variant="ghost" size="icon" className="-me-2 -mt-1.5 text-muted" aria-label={t("close")}>
                <X aria-hidden />
              </Button>
            </Radix.Close>
          </div>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
          <div className="min-h-0 flex-1 overflow-y-auto px-5 pb-5 outline-offset-[-2px]" tabIndex={0}>
            {children}
          </div>
          {footer && (
            <div className="flex flex-wrap justify-end gap-2 border-t px-5 py-3 max-sm:*:flex-1">{footer}</div>
          )}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
