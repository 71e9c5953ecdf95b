"use client";

import { useState } from "react";
import { useFormatter, useTranslations } from "use-intl";
import { Button } from "@/components/ui/button";
import { Cut } from "@/components/ui/cut";
import { Dialog } from "@/components/ui/dialog";
import { ErrorState } from "@/components/ui/error-state";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { Select } from "@/components/ui/select";
import { Skeleton } from "@/components/ui/skeleton";
import { toast } from "@/components/ui/toast";
import { api } from "@/lib/api/client";
import type { components } from "@/lib/api/schema";
import type { Alert } from "./filter";

type Match = components["schemas"]["Match"];

const SCOPES = ["subject", "system", "category"] as const;
type Scope = (typeof SCOPES)[number];
const HOURS = ["1", "4", "24", "168"] as const;
const HOUR_MS = 3_600_000;

/** Text as a glob that means only itself; what a glob cannot say otherwise stands for any one character. */
function literally(text: string): string {
  return text.replaceAll(/[*?[\]{}\\!]/g, "?");
}

const ANYTHING: Match = {
  category: null,
  from: null,
  labels: {},
  severity_at_least: null,
  source: null,
  subject: null,
  system: null,
  to: null,
};

function matchOf(alert: Alert, scope: Scope): Match {
  const onSystem = { ...ANYTHING, system: alert.system ? literally(alert.system) : null };
  if (scope === "system") return onSystem;
  return { ...onSystem, [scope]: literally(alert[scope]) };
}

/** Silences what is like an alert, and shows first what that would have kept quiet. */
export function SilenceDialog({ alert, onClose }: { alert: Alert; onClose: () => void }) {
  const t = useTranslations("alerts.silence");
  const format = useFormatter();
  const scopes = SCOPES.filter((each) => each === "subject" || Boolean(alert[each]));
  const [scope, setScope] = useState<Scope>("subject");
  const [hours, setHours] = useState<string>(HOURS[0]);
  const [comment, setComment] = useState("");
  const create = api.useMutation("post", "/api/v1/silences");
  const match = matchOf(alert, scope);

  const save = async () => {
    const expires = new Date(Date.now() + Number(hours) * HOUR_MS);
    await create.mutateAsync({ body: { match, expires_at: expires.toISOString(), comment } });
    toast(t("done", { until: format.dateTime(expires, { dateStyle: "medium", timeStyle: "short" }) }));
    onClose();
  };
  const footer = (
    <Button variant="primary" isBusy={create.isPending} onClick={() => void save().catch(() => {})}>
      {t("action")}
    </Button>
  );
  return (
    <Dialog open onOpenChange={onClose} title={t("title")} description={t("text")} footer={footer}>
      <div className="grid gap-4">
        <Field label={t("what")}>
          {(wiring) => (
            <Select
              {...wiring}
              value={scope}
              onValueChange={(value) => setScope(SCOPES.find((each) => each === value) ?? "subject")}
              options={scopes.map((each) => ({
                value: each,
                label: t(`scopes.${each}`, { system: alert.system || t("anySystem"), category: alert.category }),
              }))}
            />
          )}
        </Field>
        <Field label={t("howLong")}>
          {(wiring) => (
            <Select
              {...wiring}
              value={hours}
              onValueChange={setHours}
              options={HOURS.map((each) => ({ value: each, label: t("hours", { hours: Number(each) }) }))}
            />
          )}
        </Field>
        <Field label={t("comment")} hint={t("commentHint")}>
          {(wiring) => <Input {...wiring} value={comment} onChange={(event) => setComment(event.target.value)} />}
        </Field>
        <Preview match={match} />
        {create.error && <ErrorState error={create.error} isInline />}
      </div>
    </Dialog>
  );
}

/** Which of the newest events the silence would have kept from the channels. */
function Preview({ match }: { match: Match }) {
  const t = useTranslations("alerts.silence");
  const { data, error, refetch } = api.useQuery("post", "/api/v1/silences/preview", { body: { match } });
  if (error) return <ErrorState error={error} isInline onRetry={() => void refetch()} />;
  if (!data) return <Skeleton className="h-16" />;
  return (
    <div className="rounded-md bg-sunken p-3 text-sm" aria-live="polite">
      <p className="font-medium">{t("preview", { hits: data.hits, events: data.events })}</p>
      <ul className="mt-1 grid gap-0.5 text-muted">
        {data.examples.slice(0, 3).map(({ id, subject }) => (
          <li key={id}>
            <Cut>{subject}</Cut>
          </li>
        ))}
      </ul>
    </div>
  );
}
