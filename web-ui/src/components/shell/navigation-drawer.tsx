"use client";

import { Dialog as Radix } from "radix-ui";
import { useTranslations } from "use-intl";
import { Sidebar } from "./sidebar";

/** The places on a narrow screen. */
export function NavigationDrawer({ onClose }: { onClose: () => void }) {
  const t = useTranslations("shell");
  return (
    <Radix.Root open onOpenChange={onClose}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 bg-scrim lg:hidden" />
        <Radix.Content
          data-modal
          aria-describedby={undefined}
          className="fixed inset-y-0 start-0 z-50 w-72 max-w-[85vw] bg-sunken shadow-floating lg:hidden data-[state=open]:animate-in data-[state=open]:slide-in-from-left rtl:data-[state=open]:slide-in-from-right"
        >
          <Radix.Title className="sr-only">{t("navigation")}</Radix.Title>
          <Sidebar className="h-full bg-sunken" onNavigate={onClose} />
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
