"use client";

import { useQueryClient } from "@tanstack/react-query";
import { Controller, FormProvider, useForm, useFormContext, useWatch } from "react-hook-form";
import { useTranslations } from "use-intl";
import { MatchFields } from "@/components/match/match-fields";
import { conditionOf, formOf, type Match, type MatchForm, matchOf } from "@/components/match/match-form";
import { MatchPreview } from "@/components/match/match-preview";
import { Button } from "@/components/ui/button";
import { EditorDrawer } from "@/components/ui/editor-drawer";
import { ErrorState } from "@/components/ui/error-state";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { Select } from "@/components/ui/select";
import { toast } from "@/components/ui/toast";
import { api } from "@/lib/api/client";
import { refusedField } from "@/lib/api/field-errors";
import type { components } from "@/lib/api/schema";
import { useMoment } from "@/lib/use-moment";
import { endOf, localOf, SPANS, type Span } from "./expiry";

export type Silence = components["schemas"]["SilenceView"];

/** What the form begins with: a silence that is there, or only what one shall match. */
export interface Draft {
  match: Match;
  comment?: string;
  /** Absent while it is not made. */
  silence?: Silence;
}

interface SilenceForm {
  match: MatchForm;
  span: Span;
  custom: string;
  comment: string;
}

const FORM = "silence-form";

/** Makes a silence or changes one, beside what it would hit. */
export function SilenceEditor({ draft, onClose }: { draft: Draft; onClose: () => void }) {
  const t = useTranslations("silences");
  const { silence } = draft;
  const form = useForm<SilenceForm>({
    defaultValues: {
      match: formOf(draft.match),
      span: silence ? "custom" : "4h",
      custom: localOf(silence ? new Date(silence.expires_at) : new Date(Date.now() + 3_600_000)),
      comment: draft.comment ?? "",
    },
  });
  const { save, isPending, error } = useSave(silence?.id, onClose);
  const submit = form.handleSubmit((values) =>
    save(values).catch((failure: unknown) => {
      const refused = refusedField(failure);
      const at = refused && (conditionOf(refused.field, values.match) ?? FIELDS[refused.field]);
      if (refused && at) form.setError(at as keyof SilenceForm, { message: refused.why }, { shouldFocus: true });
    }),
  );
  return (
    <FormProvider {...form}>
      <EditorDrawer
        title={silence ? t("editor.edit") : t("editor.new")}
        description={t("editor.description")}
        isDirty={form.formState.isDirty}
        onClose={onClose}
        footer={(leave) => (
          <>
            <Button onClick={leave}>{t("editor.cancel")}</Button>
            <Button variant="primary" type="submit" form={FORM} isBusy={isPending}>
              {silence ? t("editor.save") : t("editor.create")}
            </Button>
          </>
        )}
      >
        <form id={FORM} onSubmit={submit} noValidate className="grid grid-cols-1 gap-6">
          <MatchFields />
          <LivePreview />
          <ExpiryFields />
          <Field label={t("editor.comment")} hint={t("editor.commentHint")}>
            {(wiring) => <Input dir="auto" autoComplete="off" {...wiring} {...form.register("comment")} />}
          </Field>
          {error !== null && <ErrorState error={error} isInline />}
        </form>
      </EditorDrawer>
    </FormProvider>
  );
}

/** The form's names for the server's fields, its conditions aside. */
const FIELDS: Record<string, keyof SilenceForm> = { expires_at: "custom", comment: "comment" };

function useSave(id: number | undefined, onDone: () => void) {
  const t = useTranslations("silences");
  const cache = useQueryClient();
  const create = api.useMutation("post", "/api/v1/silences");
  const update = api.useMutation("put", "/api/v1/silences/{id}");
  const save = async ({ match, span, custom, comment }: SilenceForm) => {
    const end = endOf(span, custom, Date.now());
    if (!end) return;
    const body = { match: matchOf(match), expires_at: end.toISOString(), comment: comment.trim() };
    if (id === undefined) await create.mutateAsync({ body });
    else await update.mutateAsync({ body, params: { path: { id } } });
    await cache.invalidateQueries({ queryKey: ["get", "/api/v1/silences"] });
    toast(id === undefined ? t("editor.created") : t("editor.saved"));
    onDone();
  };
  return { save, isPending: create.isPending || update.isPending, error: create.error ?? update.error };
}

function LivePreview() {
  const match = useWatch<SilenceForm, "match">({ name: "match" });
  return <MatchPreview match={matchOf(match)} />;
}

function ExpiryFields() {
  const t = useTranslations("silences");
  const moment = useMoment();
  const { register, control, formState } = useFormContext<SilenceForm>();
  const [span, custom] = useWatch<SilenceForm, ["span", "custom"]>({ name: ["span", "custom"] });
  const end = endOf(span, custom, Date.now());
  const options = SPANS.map((value) => ({ value, label: t(`spans.${value}`) }));
  return (
    <div className="grid gap-2">
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label={t("editor.span")}>
          {(wiring) => (
            <Controller
              control={control}
              name="span"
              render={({ field }) => (
                <Select {...wiring} options={options} value={field.value} onValueChange={field.onChange} />
              )}
            />
          )}
        </Field>
        {span === "custom" && (
          <Field label={t("editor.end")} error={formState.errors.custom?.message}>
            {(wiring) => (
              <Input
                type="datetime-local"
                {...wiring}
                {...register("custom", {
                  validate: (value, { span: chosen }) => isAhead(chosen, value) || t("editor.endMissing"),
                })}
              />
            )}
          </Field>
        )}
      </div>
      {end && (
        <p aria-live="polite" className="text-muted text-sm">
          {t("editor.ends", { end: moment(localOf(end)) ?? "" })}
        </p>
      )}
    </div>
  );
}

function isAhead(span: Span, custom: string): boolean {
  const end = endOf(span, custom, Date.now());
  return end !== undefined && end.getTime() > Date.now();
}
