"use client";

import type { ReactNode } from "react";
import { Controller, useFormContext, useWatch } from "react-hook-form";
import { useLocale, useTranslations } from "use-intl";
import { MatchFields } from "@/components/match/match-fields";
import { Checkbox } from "@/components/ui/checkbox";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { Select } from "@/components/ui/select";
import { SEVERITIES } from "@/components/ui/severity";
import { Switch } from "@/components/ui/switch";
import { ChannelPicker } from "./channel-picker";
import { DAYS, type RuleForm } from "./rule-form";
import { dayName, RuleHours } from "./rule-hours";

const UNCHANGED = "unchanged";

/** Everything that a rule is, inside its form. */
export function RuleFields() {
  const t = useTranslations("rules.fields");
  const { register, control, formState } = useFormContext<RuleForm>();
  const { errors } = formState;
  return (
    <>
      <Field label={t("name")} error={errors.name?.message}>
        {(wiring) => (
          <Input
            dir="auto"
            autoComplete="off"
            placeholder={t("nameExample")}
            maxLength={64}
            {...wiring}
            {...register("name", { validate: (name) => name.trim() !== "" || t("nameMissing") })}
          />
        )}
      </Field>
      <Section title={t("when")}>
        <MatchFields />
      </Section>
      <Section title={t("then")}>
        <Controller
          control={control}
          name="channels"
          render={({ field }) => (
            <ChannelPicker
              label={t("channels")}
              hint={t("channelsHint")}
              chosen={field.value}
              onChange={field.onChange}
              error={errors.channels?.message}
            />
          )}
        />
        <Toggle name="goesOn" label={t("goesOn")} hint={t("goesOnHint")} />
        <SeverityField />
        <Toggle name="escalates" label={t("escalates")} hint={t("escalatesHint")} />
        <Escalation />
        <Toggle name="hasHours" label={t("hasHours")} hint={t("hasHoursHint")} />
        <Hours />
        <Field label={t("wait")} hint={t("waitHint")} error={errors.wait?.message}>
          {(wiring) => <Input dir="ltr" className="max-w-32" placeholder="5s" {...wiring} {...register("wait")} />}
        </Field>
        <Toggle name="enabled" label={t("enabled")} hint={t("enabledHint")} />
      </Section>
    </>
  );
}

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="grid gap-5 border-t pt-5">
      <h3 className="font-semibold">{title}</h3>
      {children}
    </section>
  );
}

function Toggle({
  name,
  label,
  hint,
}: {
  name: "goesOn" | "escalates" | "hasHours" | "enabled";
  label: string;
  hint: string;
}) {
  const { control } = useFormContext<RuleForm>();
  return (
    <Controller
      control={control}
      name={name}
      render={({ field }) => (
        // biome-ignore lint/a11y/noLabelWithoutControl: the switch inside is the control
        <label className="flex items-start gap-3">
          <Switch className="mt-0.5" checked={field.value} onCheckedChange={field.onChange} />
          <span className="grid">
            <span className="font-medium text-sm">{label}</span>
            <span className="text-muted text-sm">{hint}</span>
          </span>
        </label>
      )}
    />
  );
}

function SeverityField() {
  const t = useTranslations("rules.fields");
  const severity = useTranslations("common.severity");
  const { control } = useFormContext<RuleForm>();
  const options = [
    { value: UNCHANGED, label: t("severityUnchanged") },
    ...SEVERITIES.map((value) => ({ value, label: severity(value) })),
  ];
  return (
    <Field label={t("severity")} hint={t("severityHint")}>
      {(wiring) => (
        <Controller
          control={control}
          name="severity"
          render={({ field }) => (
            <Select
              className="sm:max-w-64"
              {...wiring}
              options={options}
              value={field.value || UNCHANGED}
              onValueChange={(value) => field.onChange(value === UNCHANGED ? "" : value)}
            />
          )}
        />
      )}
    </Field>
  );
}

function Escalation() {
  const t = useTranslations("rules.fields");
  const severity = useTranslations("common.severity");
  const { control, formState } = useFormContext<RuleForm>();
  const escalates = useWatch({ control, name: "escalates" });
  if (!escalates) return null;
  return (
    <div className="grid gap-4 border-s-2 ps-4">
      <Field label={t("escalateFrom")}>
        {(wiring) => (
          <Controller
            control={control}
            name="escalation.severity"
            render={({ field }) => (
              <Select
                className="sm:max-w-64"
                {...wiring}
                options={SEVERITIES.map((value) => ({ value, label: severity(value) }))}
                value={field.value}
                onValueChange={field.onChange}
              />
            )}
          />
        )}
      </Field>
      <Controller
        control={control}
        name="escalation.channels"
        render={({ field }) => (
          <ChannelPicker
            label={t("escalateTo")}
            chosen={field.value}
            onChange={field.onChange}
            error={formState.errors.escalation?.channels?.message}
          />
        )}
      />
    </div>
  );
}

function Hours() {
  const t = useTranslations("rules.fields");
  const locale = useLocale();
  const { control, register, formState } = useFormContext<RuleForm>();
  const [hasHours, hours] = useWatch({ control, name: ["hasHours", "hours"] });
  const errors = formState.errors.hours;
  if (!hasHours) return null;
  return (
    <div className="grid gap-4 border-s-2 ps-4">
      <Controller
        control={control}
        name="hours.days"
        render={({ field }) => (
          <fieldset>
            <legend className="mb-1.5 font-medium text-sm">{t("days")}</legend>
            <div className="flex flex-wrap gap-x-4 gap-y-2">
              {DAYS.map((day) => (
                // biome-ignore lint/a11y/noLabelWithoutControl: the checkbox inside is the control
                <label key={day} className="flex min-h-6 items-center gap-2">
                  <Checkbox
                    checked={field.value.includes(day)}
                    onCheckedChange={(isOn) =>
                      field.onChange(DAYS.filter((each) => (each === day ? isOn === true : field.value.includes(each))))
                    }
                  />
                  {dayName(day, locale)}
                </label>
              ))}
            </div>
            <p className="mt-1.5 text-muted text-sm">{t("daysHint")}</p>
          </fieldset>
        )}
      />
      <div className="grid gap-4 sm:grid-cols-3">
        <Field label={t("from")} error={errors?.from?.message}>
          {(wiring) => <Input type="time" {...wiring} {...register("hours.from")} />}
        </Field>
        <Field label={t("to")} error={errors?.to?.message}>
          {(wiring) => <Input type="time" {...wiring} {...register("hours.to")} />}
        </Field>
        <Field label={t("timezone")} error={errors?.timezone?.message}>
          {(wiring) => (
            <Input dir="ltr" list="timezones" autoComplete="off" {...wiring} {...register("hours.timezone")} />
          )}
        </Field>
        <datalist id="timezones">
          {Intl.supportedValuesOf("timeZone").map((zone) => (
            <option key={zone} value={zone} />
          ))}
        </datalist>
      </div>
      {hours.from && hours.to && <RuleHours active={hours} />}
    </div>
  );
}
