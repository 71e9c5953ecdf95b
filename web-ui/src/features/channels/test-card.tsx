"use client";

import { CircleCheck, CircleX, Send } from "lucide-react";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { ErrorState } from "@/components/ui/error-state";
import { api } from "@/lib/api/client";
import type { components } from "@/lib/api/schema";

type Outcome = components["schemas"]["TestView"];

/** Sends a test message through what is saved, and shows the platform's answer. */
export function TestCard({ id }: { id: number }) {
  const t = useTranslations("channels.test");
  const test = api.useMutation("post", "/api/v1/channels/{id}/test");
  return (
    <Card title={t("title")}>
      <p className="mb-4 text-muted">{t("text")}</p>
      <Button isBusy={test.isPending} onClick={() => test.mutate({ params: { path: { id } } })}>
        <Send aria-hidden />
        {t("action")}
      </Button>
      <div aria-live="polite" className="mt-4 empty:hidden">
        {test.error && <ErrorState error={test.error} isInline />}
        {test.data && <Answer outcome={test.data} />}
      </div>
    </Card>
  );
}

const CLASSES = ["transient", "rate_limited", "rejected"] as const;

function Answer({ outcome }: { outcome: Outcome }) {
  const t = useTranslations("channels.test");
  const failure = CLASSES.find((each) => each === outcome.class);
  return (
    <div className={outcome.delivered ? "rounded-md bg-success-soft p-3" : "rounded-md bg-critical-soft p-3"}>
      <p className="flex items-center gap-2 font-medium">
        {outcome.delivered ? (
          <CircleCheck className="size-4 text-success" aria-hidden />
        ) : (
          <CircleX className="size-4 text-critical" aria-hidden />
        )}
        {outcome.delivered ? t("delivered", { ms: outcome.latency_ms }) : t("failed", { ms: outcome.latency_ms })}
      </p>
      {failure && <p className="mt-1">{t(`class.${failure}`)}</p>}
      <p className="mt-2 text-muted text-sm">{t("answer")}</p>
      <bdi dir="ltr" className="wrap-anywhere block whitespace-pre-wrap font-mono text-sm">
        {outcome.detail}
      </bdi>
      {outcome.provider_id && (
        <p className="mt-2 text-muted text-sm">
          {t("providerId")} <bdi className="wrap-anywhere font-mono">{outcome.provider_id}</bdi>
        </p>
      )}
      {outcome.template_failure && (
        <p className="mt-2 text-sm">
          {t("templateFailed")} <bdi className="wrap-anywhere font-mono">{outcome.template_failure}</bdi>
        </p>
      )}
    </div>
  );
}
