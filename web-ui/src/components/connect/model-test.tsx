"use client";

import { CircleCheck, CircleX, FlaskConical } from "lucide-react";
import { useState } from "react";
import { useFormatter, useTranslations } from "use-intl";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { CodeBlock } from "@/components/ui/code-block";
import { ErrorState } from "@/components/ui/error-state";
import { Field } from "@/components/ui/field";
import { Select } from "@/components/ui/select";
import { api } from "@/lib/api/client";
import type { components } from "@/lib/api/schema";

type Outcome = components["schemas"]["AiTestView"];

/** The alert that the server makes up where none is named. */
const MADE_UP = "made-up";
const NEWEST = 10;

/** Asks a model that is saved about one alert, and shows what it said and how long it took. */
export function ModelTest({ id }: { id: number }) {
  const t = useTranslations("connect.modelTest");
  const [chosen, setChosen] = useState<string>();
  const { data: alerts } = api.useQuery("get", "/api/v1/alerts", { params: { query: { limit: NEWEST } } });
  const test = api.useMutation("post", "/api/v1/ai-providers/{id}/test");
  const about = chosen ?? alerts?.items[0]?.id ?? MADE_UP;
  const ask = () => test.mutate({ params: { path: { id } }, body: about === MADE_UP ? {} : { alert_id: about } });
  return (
    <Card title={t("title")} className="grid max-w-2xl gap-4">
      <p className="text-muted">{t("text")}</p>
      <div className="grid items-end gap-3 sm:grid-cols-[1fr_auto]">
        <Field label={t("about")}>
          {(wiring) => (
            <Select
              {...wiring}
              className="min-w-0 [&>span]:truncate"
              value={about}
              onValueChange={setChosen}
              options={[
                ...(alerts?.items ?? []).map((alert) => ({ value: alert.id, label: <bdi>{alert.summary}</bdi> })),
                { value: MADE_UP, label: t("madeUp") },
              ]}
            />
          )}
        </Field>
        <Button isBusy={test.isPending} onClick={ask}>
          <FlaskConical aria-hidden />
          {t("action")}
        </Button>
      </div>
      <div aria-live="polite" className="empty:hidden">
        {test.error && <ErrorState error={test.error} isInline />}
        {test.data && !test.isPending && <Answer outcome={test.data} />}
      </div>
    </Card>
  );
}

function Answer({ outcome: { answer, failure, form, ...outcome } }: { outcome: Outcome }) {
  const t = useTranslations("connect.modelTest");
  const format = useFormatter();
  const Icon = answer ? CircleCheck : CircleX;
  const tokens = outcome.prompt_tokens + outcome.completion_tokens;
  return (
    <div className={`grid gap-3 rounded-md p-3 ${answer ? "bg-success-soft" : "bg-critical-soft"}`}>
      <p className="flex items-center gap-2 font-medium">
        <Icon className={`size-4 ${answer ? "text-success" : "text-critical"}`} aria-hidden />
        {answer ? t("answered", { ms: outcome.latency_ms }) : t("failed", { ms: outcome.latency_ms })}
      </p>
      {failure && (
        <>
          <p>{t(`failures.${failure.class}`)}</p>
          <bdi dir="ltr" className="wrap-anywhere block font-mono text-sm">
            {failure.message}
          </bdi>
        </>
      )}
      {answer && <CodeBlock label={t("said")} code={JSON.stringify(answer, null, 2)} />}
      <p className="flex flex-wrap gap-x-4 text-sm empty:hidden">
        {tokens > 0 && (
          <span>{t("tokens", { prompt: outcome.prompt_tokens, completion: outcome.completion_tokens })}</span>
        )}
        {outcome.cost != null && (
          <span>{t("cost", { cost: format.number(outcome.cost, { maximumSignificantDigits: 3 }) })}</span>
        )}
        {form && <span>{t(`forms.${form}`)}</span>}
      </p>
    </div>
  );
}
