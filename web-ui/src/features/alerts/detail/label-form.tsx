"use client";

import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useEffect, useEffectEvent, useState } from "react";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button";
import { ErrorState } from "@/components/ui/error-state";
import { Field } from "@/components/ui/field";
import { Input, Textarea } from "@/components/ui/input";
import { Select } from "@/components/ui/select";
import { SEVERITIES } from "@/components/ui/severity";
import { toast } from "@/components/ui/toast";
import { api } from "@/lib/api/client";
import { ApiError } from "@/lib/api/errors";
import type { components } from "@/lib/api/schema";

type Detail = components["schemas"]["AlertDetail"];
type Seen = Pick<components["schemas"]["AnalysisView"], "severity" | "category" | "system" | "summary" | "action">;

/** What is wrong about an analysis and how it is right. Only what was changed is sent. */
export function LabelForm({
  alert,
  seen,
  onDirty,
  onClose,
}: {
  alert: Detail;
  seen: Seen;
  /** Hears whether something is typed that would be lost. */
  onDirty: (isDirty: boolean) => void;
  onClose: () => void;
}) {
  const t = useTranslations("alerts.label");
  const word = useTranslations("common.severity");
  const cache = useQueryClient();
  const before: Seen = {
    severity: alert.label?.label.severity ?? seen.severity,
    category: alert.label?.label.category ?? seen.category,
    system: alert.label?.label.system ?? seen.system,
    summary: alert.label?.label.summary ?? seen.summary,
    action: alert.label?.label.action ?? seen.action,
  };
  const [draft, setDraft] = useState(before);
  const [initial] = useState(before);
  const isDirty = draft.severity !== initial.severity || TEXTS.some((name) => draft[name] !== initial[name]);
  const tell = useEffectEvent(onDirty);
  useEffect(() => {
    tell(isDirty);
    return () => tell(false);
  }, [isDirty]);
  const save = api.useMutation("put", "/api/v1/alerts/{id}/label");
  const changed = (name: keyof Seen) => draft[name] !== seen[name];
  const isChanged = changed("severity") || TEXTS.some(changed);
  const message = save.error instanceof ApiError ? save.error.message : "";
  const errorOf = (name: string) => (message.startsWith(`${name}:`) ? message.slice(name.length + 2) : undefined);
  const isAtField = ["severity", ...TEXTS].some((name) => errorOf(name));

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const body = {
      severity: changed("severity") ? draft.severity : null,
      category: changed("category") ? draft.category : null,
      system: changed("system") ? draft.system : null,
      summary: changed("summary") ? draft.summary : null,
      action: changed("action") ? draft.action : null,
    };
    await save.mutateAsync({ params: { path: { id: alert.id } }, body });
    void cache.invalidateQueries({ queryKey: ["get", "/api/v1/alerts/{id}"] });
    toast(t("done"));
    onClose();
  };
  const onText = (name: (typeof TEXTS)[number]) => (event: { target: { value: string } }) =>
    setDraft({ ...draft, [name]: event.target.value });

  return (
    <form onSubmit={(event) => void submit(event).catch(() => {})} className="grid content-start gap-3">
      <h3 className="font-semibold">{t("title")}</h3>
      <p className="text-muted text-sm">{t("text")}</p>
      <Field label={t("severity")} error={errorOf("severity")}>
        {(wiring) => (
          <Select
            {...wiring}
            value={draft.severity}
            onValueChange={(value) =>
              setDraft({ ...draft, severity: SEVERITIES.find((each) => each === value) ?? draft.severity })
            }
            options={SEVERITIES.map((each) => ({ value: each, label: word(each) }))}
          />
        )}
      </Field>
      {TEXTS.map((name) => (
        <Field key={name} label={t(name)} error={errorOf(name)}>
          {(wiring) =>
            name === "summary" || name === "action" ? (
              <Textarea {...wiring} dir="auto" className="min-h-16" value={draft[name]} onChange={onText(name)} />
            ) : (
              <Input {...wiring} dir="auto" value={draft[name]} onChange={onText(name)} />
            )
          }
        </Field>
      ))}
      {save.error && !isAtField && <ErrorState error={save.error} isInline />}
      <div className="flex justify-end gap-2">
        <Button onClick={onClose}>{t("cancel")}</Button>
        <Button type="submit" variant="primary" isBusy={save.isPending} disabled={!isChanged}>
          {t("save")}
        </Button>
      </div>
    </form>
  );
}

const TEXTS = ["system", "category", "summary", "action"] as const;
