"use client";

import { Plus, X } from "lucide-react";
import { Controller, type FieldErrors, useFieldArray, useFormContext } from "react-hook-form";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { Select } from "@/components/ui/select";
import { SEVERITIES } from "@/components/ui/severity";
import { type MatchForm, TEXT_CONDITIONS } from "./match-form";
import { useSuggestions } from "./suggestions";

/** A form with conditions in it. */
interface WithMatch {
  match: MatchForm;
}

const ANY = "any";

/** The conditions of a rule or a silence, inside a form that has them under `match`. */
export function MatchFields() {
  const t = useTranslations("match");
  const { register, control, formState } = useFormContext<WithMatch>();
  const { listOf, lists } = useSuggestions();
  const errors: FieldErrors<MatchForm> = formState.errors.match ?? {};
  const severity = useTranslations("common.severity");
  const severities = [
    { value: ANY, label: t("anySeverity") },
    ...SEVERITIES.map((each) => ({
      value: each,
      label: each === "critical" ? severity(each) : t("atLeast", { severity: severity(each) }),
    })),
  ];
  return (
    <fieldset className="grid gap-4">
      <legend className="sr-only">{t("title")}</legend>
      <p className="text-muted text-sm">{t("hint")}</p>
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label={t("fields.severity")}>
          {(wiring) => (
            <Controller
              control={control}
              name="match.severity_at_least"
              render={({ field }) => (
                <Select
                  {...wiring}
                  options={severities}
                  value={field.value || ANY}
                  onValueChange={(value) => field.onChange(value === ANY ? "" : value)}
                />
              )}
            />
          )}
        </Field>
        {TEXT_CONDITIONS.map((name) => (
          <Field key={name} label={t(`fields.${name}`)} error={errors[name]?.message}>
            {(wiring) => (
              <Input
                dir="auto"
                autoComplete="off"
                spellCheck={false}
                placeholder={t(`examples.${name}`)}
                list={listOf(name)}
                {...wiring}
                {...register(`match.${name}`)}
              />
            )}
          </Field>
        ))}
      </div>
      {lists}
      <LabelFields />
    </fieldset>
  );
}

function LabelFields() {
  const t = useTranslations("match");
  const { register, control, formState } = useFormContext<WithMatch>();
  const { fields, append, remove } = useFieldArray({ control, name: "match.labels" });
  const errors = formState.errors.match?.labels;
  return (
    <div className="grid gap-2">
      {fields.map((field, index) => (
        <div key={field.id} className="flex items-end gap-2">
          <div className="min-w-0 flex-1">
            <Field label={t("labelName")}>
              {(wiring) => (
                <Input
                  dir="auto"
                  autoComplete="off"
                  placeholder={t("examples.labelName")}
                  {...wiring}
                  {...register(`match.labels.${index}.name`)}
                />
              )}
            </Field>
          </div>
          <div className="min-w-0 flex-1">
            <Field label={t("labelValue")} error={errors?.[index]?.glob?.message}>
              {(wiring) => (
                <Input
                  dir="auto"
                  autoComplete="off"
                  placeholder={t("examples.labelValue")}
                  {...wiring}
                  {...register(`match.labels.${index}.glob`)}
                />
              )}
            </Field>
          </div>
          <Button variant="ghost" size="icon" aria-label={t("removeLabel")} onClick={() => remove(index)}>
            <X aria-hidden />
          </Button>
        </div>
      ))}
      <Button size="sm" className="justify-self-start" onClick={() => append({ name: "", glob: "" })}>
        <Plus aria-hidden />
        {t("addLabel")}
      </Button>
    </div>
  );
}
