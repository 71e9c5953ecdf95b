"use client";

import { useQueryClient } from "@tanstack/react-query";
import { useForm, useWatch } from "react-hook-form";
import { useTranslations } from "use-intl";
import { ANYTHING, matchesAll } from "@/components/match/match-form";
import { MatchPreview } from "@/components/match/match-preview";
import { useSuggestions } from "@/components/match/suggestions";
import { Button } from "@/components/ui/button";
import { EditorDrawer } from "@/components/ui/editor-drawer";
import { ErrorState } from "@/components/ui/error-state";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { toast } from "@/components/ui/toast";
import { api } from "@/lib/api/client";
import { refusedField } from "@/lib/api/field-errors";
import type { components } from "@/lib/api/schema";

export type Mute = components["schemas"]["MuteView"];

const FORM = "mute-form";
const FIELDS = ["from", "source", "comment"] as const;

/** Makes a mute or changes one, beside what it would have dropped. */
export function MuteEditor({ mute, onClose }: { mute: Partial<Mute>; onClose: () => void }) {
  const t = useTranslations("mutes");
  const m = useTranslations("match");
  const form = useForm({
    defaultValues: { from: mute.from ?? "", source: mute.source ?? "", comment: mute.comment ?? "" },
  });
  const { register, formState, control } = form;
  const { listOf, lists } = useSuggestions();
  const [from, source] = useWatch({ control, name: ["from", "source"] });
  const match = { ...ANYTHING, from: from.trim() || null, source: source.trim() || null };
  const { save, isPending, error } = useSave(mute.id, onClose);
  const isEmpty = () => matchesAll({ ...match, from: form.getValues("from"), source: form.getValues("source") });
  const submit = form.handleSubmit((values) =>
    save({
      from: values.from.trim() || null,
      source: values.source.trim() || null,
      comment: values.comment.trim(),
    }).catch((failure: unknown) => {
      const refused = refusedField(failure);
      const field = FIELDS.find((each) => each === refused?.field);
      if (refused && field) form.setError(field, { message: refused.why }, { shouldFocus: true });
    }),
  );
  return (
    <EditorDrawer
      title={mute.id === undefined ? t("editor.new") : t("editor.edit")}
      description={t("editor.description")}
      isDirty={formState.isDirty}
      onClose={onClose}
      footer={(leave) => (
        <>
          <Button onClick={leave}>{t("editor.cancel")}</Button>
          <Button variant="primary" type="submit" form={FORM} isBusy={isPending}>
            {mute.id === undefined ? t("editor.create") : t("editor.save")}
          </Button>
        </>
      )}
    >
      <form id={FORM} onSubmit={submit} noValidate className="grid gap-5">
        <p className="text-muted text-sm">{m("hint")}</p>
        <div className="grid gap-4 sm:grid-cols-2">
          <Field label={m("fields.from")} error={formState.errors.from?.message}>
            {(wiring) => (
              <Input
                dir="auto"
                autoComplete="off"
                placeholder="noreply@*"
                list={listOf("from")}
                {...wiring}
                {...register("from", { validate: () => !isEmpty() || t("editor.missing") })}
              />
            )}
          </Field>
          <Field label={m("fields.source")} error={formState.errors.source?.message}>
            {(wiring) => (
              <Input
                dir="auto"
                autoComplete="off"
                placeholder={m("examples.source")}
                list={listOf("source")}
                {...wiring}
                {...register("source")}
              />
            )}
          </Field>
        </div>
        {lists}
        {matchesAll(match) ? <p className="text-muted">{t("editor.previewHere")}</p> : <MatchPreview match={match} />}
        <Field label={t("editor.comment")} hint={t("editor.commentHint")} error={formState.errors.comment?.message}>
          {(wiring) => <Input dir="auto" autoComplete="off" {...wiring} {...register("comment")} />}
        </Field>
        {error !== null && <ErrorState error={error} isInline />}
      </form>
    </EditorDrawer>
  );
}

function useSave(id: number | undefined, onDone: () => void) {
  const t = useTranslations("mutes");
  const cache = useQueryClient();
  const create = api.useMutation("post", "/api/v1/mutes");
  const update = api.useMutation("put", "/api/v1/mutes/{id}");
  const save = async (body: components["schemas"]["MuteBody"]) => {
    if (id === undefined) await create.mutateAsync({ body });
    else await update.mutateAsync({ body, params: { path: { id } } });
    await cache.invalidateQueries({ queryKey: ["get", "/api/v1/mutes"] });
    toast(id === undefined ? t("editor.created") : t("editor.saved"));
    onDone();
  };
  return { save, isPending: create.isPending || update.isPending, error: create.error ?? update.error };
}
