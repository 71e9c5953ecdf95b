"use client";

import { useTranslations } from "use-intl";
import { Dialog } from "@/components/ui/dialog";
import { Kbd } from "@/components/ui/kbd";
import { useShortcutList } from "@/lib/shortcuts";

/** The keys that work on the screen one is on. */
export function ShortcutHelp({ open, onOpenChange }: { open: boolean; onOpenChange: (open: boolean) => void }) {
  const t = useTranslations("shell.shortcuts");
  const shortcuts = useShortcutList();
  return (
    <Dialog open={open} onOpenChange={onOpenChange} title={t("title")} description={t("description")}>
      <dl className="grid gap-x-8 sm:grid-cols-2">
        {shortcuts.map(({ keys, label }) => (
          <div key={keys} className="flex h-9 items-center justify-between gap-4 border-b">
            <dt>{label}</dt>
            <dd>
              <Kbd keys={keys} />
            </dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
