"use client";

import { useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Button } from "@/components/ui/button";
import { Confirm } from "@/components/ui/confirm";
import { toast } from "@/components/ui/toast";
import type { paths } from "@/lib/api/schema";
import { useGo } from "@/lib/use-go";

/** The button that deletes something after saying what goes with it, and then leads back to the others. */
export function DeleteThing({
  action,
  question,
  done,
  className,
  path,
  back,
  onDelete,
  children,
}: {
  action: string;
  question: string;
  /** Said when it is gone. */
  done: string;
  className?: string;
  /** Where all of them are fetched from, and where they are shown. */
  path: keyof paths;
  back: string;
  onDelete: () => Promise<unknown>;
  /** What goes with it. */
  children: ReactNode;
}) {
  const go = useGo();
  const cache = useQueryClient();
  const confirm = async () => {
    await onDelete();
    await cache.invalidateQueries({ queryKey: ["get", path] });
    toast(done);
    go(back);
  };
  const trigger = (
    <Button variant="danger" className={className}>
      {action}
    </Button>
  );
  return (
    <Confirm trigger={trigger} title={question} action={action} onConfirm={confirm}>
      {children}
    </Confirm>
  );
}
