"use client";

import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { Button } from "./button";
import { Drawer } from "./dialog";

/** A form at the side. What was typed is not lost by a key or a click beside it: it asks first. */
export function EditorDrawer({
  title,
  description,
  className,
  isDirty,
  onClose,
  footer,
  children,
}: {
  title: ReactNode;
  description?: ReactNode;
  className?: string;
  isDirty: boolean;
  onClose: () => void;
  /** The buttons, with a way to leave that is given here. */
  footer: (leave: () => void) => ReactNode;
  children: ReactNode;
}) {
  const t = useTranslations("common.unsaved");
  const [isLeaving, setLeaving] = useState(false);
  const leave = () => (isDirty ? setLeaving(true) : onClose());
  const question = (
    <div role="alert" className="flex w-full flex-wrap items-center gap-2">
      <p className="me-auto font-medium">{t("question")}</p>
      <Button autoFocus onClick={() => setLeaving(false)}>
        {t("stay")}
      </Button>
      <Button variant="danger" onClick={onClose}>
        {t("discard")}
      </Button>
    </div>
  );
  return (
    <Drawer
      open
      onOpenChange={(open) => !open && leave()}
      title={title}
      description={description}
      className={className}
      footer={isLeaving && isDirty ? question : footer(leave)}
    >
      {children}
    </Drawer>
  );
}
