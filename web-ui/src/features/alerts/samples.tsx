"use client";

import { FlaskConical } from "lucide-react";
import { useTranslations } from "use-intl";
import { SAMPLE_SOURCE, useSamples } from "@/components/connect/use-samples";
import { Button } from "@/components/ui/button";
import { Confirm } from "@/components/ui/confirm";
import { ErrorState } from "@/components/ui/error-state";
import { toast } from "@/components/ui/toast";
import { useSession } from "@/lib/session";
import type { Alert } from "./filter";

/** For those who have no sender yet and want to look around. */
export function SendSamples() {
  const t = useTranslations("alerts.samples");
  const { mayEdit } = useSession();
  const { send, isSending, error } = useSamples();
  if (!mayEdit) return null;
  return (
    <>
      <Button isBusy={isSending} onClick={send}>
        <FlaskConical aria-hidden />
        {t("send")}
      </Button>
      {error !== undefined && <ErrorState error={error} isInline />}
    </>
  );
}

/** Says that there are samples among the alerts, and takes them away. */
export function SampleNote({ alerts }: { alerts: Alert[] }) {
  const t = useTranslations("alerts.samples");
  const { mayEdit } = useSession();
  const { remove } = useSamples();
  if (!alerts.some(({ source }) => source === SAMPLE_SOURCE)) return null;
  const confirm = async () => {
    const { alerts: count } = await remove();
    toast(t("removed", { count }));
  };
  return (
    <div className="mb-3 flex flex-wrap items-center gap-x-3 gap-y-1 rounded-md bg-info-soft px-3 py-2 text-sm">
      <FlaskConical className="size-4 shrink-0 text-accent" aria-hidden />
      <p className="min-w-40 flex-1">{t("there")}</p>
      {mayEdit && (
        <Confirm
          trigger={<Button size="sm">{t("remove")}</Button>}
          title={t("question")}
          action={t("remove")}
          onConfirm={confirm}
        >
          {t("what")}
        </Confirm>
      )}
    </div>
  );
}
