import type { ReactNode } from "react";
import { Button } from "@/components/ui/button";
import { Link } from "@/components/ui/link";

/** The foot of a form: what saves it and, where there is something to leave, the way back to the list. */
export function FormActions({
  submit,
  isBusy,
  cancel,
}: {
  submit: ReactNode;
  isBusy: boolean;
  cancel?: { href: string; label: ReactNode };
}) {
  return (
    <div className="flex flex-wrap gap-2">
      <Button type="submit" variant="primary" isBusy={isBusy}>
        {submit}
      </Button>
      {cancel && (
        <Button asChild>
          <Link href={cancel.href}>{cancel.label}</Link>
        </Button>
      )}
    </div>
  );
}
