"use client";

import { AlertDialog } from "radix-ui";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { Button } from "./button";
import { ErrorState } from "./error-state";

/**
 * Asks before something that is hard to undo, and shows what it will do: `children` is the list of what it
 * touches. It stays open until `onConfirm` is through, and says what went wrong.
 */
export function Confirm({
  trigger,
  title,
  children,
  action,
  isDangerous = true,
  onConfirm,
}: {
  trigger: ReactNode;
  title: ReactNode;
  children: ReactNode;
  /** The verb on the button: "Delete 3 rules", never "OK". */
  action: ReactNode;
  isDangerous?: boolean;
  onConfirm: () => Promise<unknown>;
}) {
  const t = useTranslations("common");
  const [isOpen, setOpen] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();

  const confirm = async () => {
    setBusy(true);
    setError(undefined);
    try {
      await onConfirm();
      setOpen(false);
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(false);
    }
  };

  return (
    <AlertDialog.Root open={isOpen} onOpenChange={setOpen}>
      <AlertDialog.Trigger asChild>{trigger}</AlertDialog.Trigger>
      <AlertDialog.Portal>
        <AlertDialog.Overlay className="fixed inset-0 z-40 bg-scrim data-[state=open]:animate-in data-[state=open]:fade-in" />
        <AlertDialog.Content className="fixed inset-x-0 bottom-0 z-50 grid max-h-[85dvh] w-full gap-4 overflow-y-auto rounded-t-lg bg-surface p-5 shadow-floating sm:inset-x-auto sm:top-[16vh] sm:bottom-auto sm:left-1/2 sm:max-w-md sm:-translate-x-1/2 sm:rounded-lg">
          <AlertDialog.Title className="font-semibold text-lg">{title}</AlertDialog.Title>
          <AlertDialog.Description asChild>
            <div className="text-muted">{children}</div>
          </AlertDialog.Description>
          {error !== undefined && <ErrorState error={error} isInline />}
          <div className="flex justify-end gap-2">
            <AlertDialog.Cancel asChild>
              <Button>{t("cancel")}</Button>
            </AlertDialog.Cancel>
            <Button variant={isDangerous ? "danger" : "primary"} isBusy={isBusy} onClick={confirm}>
              {action}
            </Button>
          </div>
        </AlertDialog.Content>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}
