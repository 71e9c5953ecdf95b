"use client";

import { AlertDialog } from "radix-ui";
import { useState } from "react";
import { useTranslations } from "use-intl";
import { Button } from "./button";
import type { ConfirmProps } from "./confirm";
import { ErrorState } from "./error-state";

/** The question of a `Confirm`. */
export function Question({
  open,
  onOpenChange,
  onClosed,
  title,
  children,
  action,
  isDangerous = true,
  onConfirm,
}: ConfirmProps & {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  /** It is gone: the focus goes back to where it came from. */
  onClosed: () => void;
}) {
  const t = useTranslations("common");
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();

  const confirm = async () => {
    setBusy(true);
    setError(undefined);
    try {
      await onConfirm();
      onOpenChange(false);
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(false);
    }
  };

  return (
    <AlertDialog.Root open={open} onOpenChange={onOpenChange}>
      <AlertDialog.Portal>
        <AlertDialog.Overlay className="fixed inset-0 z-40 bg-scrim data-[state=open]:animate-in data-[state=open]:fade-in" />
        <AlertDialog.Content
          onCloseAutoFocus={onClosed}
          className="fixed inset-x-0 bottom-0 z-50 grid max-h-[85dvh] w-full gap-4 overflow-y-auto rounded-t-lg bg-surface p-5 shadow-floating sm:inset-x-auto sm:top-[16vh] sm:bottom-auto sm:left-1/2 sm:max-w-md sm:-translate-x-1/2 sm:rounded-lg"
        >
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
