"use client";

import { useQueryClient } from "@tanstack/react-query";
import { Controller, useForm, useWatch } from "react-hook-form";
import { useFormatter, useTranslations } from "use-intl";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { ErrorState } from "@/components/ui/error-state";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { Select } from "@/components/ui/select";
import { SkeletonRows } from "@/components/ui/skeleton";
import { toast } from "@/components/ui/toast";
import { api } from "@/lib/api/client";
import { refusedField } from "@/lib/api/field-errors";
import type { components } from "@/lib/api/schema";
import { useMoment } from "@/lib/use-moment";
import { numberOf } from "./gateway";

const SETTINGS = "/api/v1/gateway/settings";

type View = components["schemas"]["GatewaySettingsView"];
type Settings = components["schemas"]["GatewaySettings"];

const CHOICES = {
  mode: ["enforce", "observe", "learn"],
  fail_mode: ["closed", "open"],
  without_key: ["pass", "refuse"],
} as const;
const NUMBERS = [
  "alert_threshold_count",
  "alert_threshold_seconds",
  "archive_days",
  "first_binds_per_minute",
] as const satisfies (keyof Settings)[];

/** What can be changed while the gateway runs; an empty field is as the settings file says. */
export function SettingsForm() {
  const { data, error, refetch } = api.useQuery("get", SETTINGS);
  if (error && !data) return <ErrorState error={error} onRetry={() => void refetch()} />;
  return data ? <Form view={data} /> : <SkeletonRows count={4} />;
}

function Form({ view: { settings, effective } }: { view: View }) {
  const t = useTranslations("gateway.settings");
  const format = useFormatter();
  const { register, control, handleSubmit, reset, formState } = useForm({ defaultValues: typed(settings) });
  const [mode, until] = useWatch({ control, name: ["mode", "learn_until"] });
  const moment = useMoment();
  const cache = useQueryClient();
  const save = api.useMutation("put", SETTINGS);
  const refused = refusedField(save.error);
  const errorOf = (field: string) => (refused?.field === field ? <bdi>{refused.why}</bdi> : undefined);
  const submit = handleSubmit(async (values) => {
    try {
      const saved = await save.mutateAsync({ body: bodyOf(values) });
      reset(typed(saved.settings));
    } catch {
      return; // It is shown below.
    }
    toast(t("saved"));
    await cache.invalidateQueries({ queryKey: ["get", SETTINGS] });
    await cache.invalidateQueries({ queryKey: ["get", "/api/v1/gateway"] });
  });
  const learns = (mode || effective.mode) === "learn";
  return (
    <Card title={t("title")} className="max-w-3xl">
      <form noValidate className="grid gap-5" onSubmit={submit}>
        <p className="text-muted">{t("text")}</p>
        <div className="grid items-start gap-5 sm:grid-cols-2">
          {(["mode", "fail_mode", "without_key"] as const).map((name) => (
            <Field key={name} label={t(`fields.${name}`)} hint={t(`hints.${name}`)} error={errorOf(name)}>
              {(wiring) => (
                <Controller
                  control={control}
                  name={name}
                  render={({ field }) => (
                    <Select
                      {...wiring}
                      value={field.value || "file"}
                      onValueChange={(value) => field.onChange(value === "file" ? "" : value)}
                      options={[
                        { value: "file", label: t("asFile") },
                        ...CHOICES[name].map((value) => ({ value, label: t(`choices.${value}`) })),
                      ]}
                    />
                  )}
                />
              )}
            </Field>
          ))}
          {learns && (
            <Field
              label={t("fields.learn_until")}
              hint={moment(until) ?? t("hints.learn_until")}
              error={errorOf("learn_until")}
            >
              {(wiring) => <Input type="datetime-local" dir="ltr" {...wiring} {...register("learn_until")} />}
            </Field>
          )}
          {NUMBERS.map((name) => (
            // How many within how long stand side by side.
            <div key={name} className={name === "alert_threshold_count" ? "sm:col-start-1" : undefined}>
              <Field
                label={t(`fields.${name}`)}
                hint={t("now", { value: format.number(effective[name] ?? 0) })}
                error={errorOf(name)}
              >
                {(wiring) => (
                  <Input type="number" min={0} inputMode="numeric" dir="ltr" {...wiring} {...register(name)} />
                )}
              </Field>
            </div>
          ))}
        </div>
        {save.error && !refused && <ErrorState error={save.error} isInline />}
        <div>
          <Button variant="primary" type="submit" isBusy={save.isPending} disabled={!formState.isDirty}>
            {t("save")}
          </Button>
        </div>
      </form>
    </Card>
  );
}

/** The settings as they stand in the form: nothing is an empty text. */
function typed(settings: Settings) {
  const text = (value: number | null | undefined) => value?.toString() ?? "";
  return {
    mode: settings.mode ?? ("" as const),
    fail_mode: settings.fail_mode ?? ("" as const),
    without_key: settings.without_key ?? ("" as const),
    learn_until: settings.learn_until ? localTime(new Date(settings.learn_until)) : "",
    alert_threshold_count: text(settings.alert_threshold_count),
    alert_threshold_seconds: text(settings.alert_threshold_seconds),
    archive_days: text(settings.archive_days),
    first_binds_per_minute: text(settings.first_binds_per_minute),
  };
}

/** As a field for date and time has it: in the viewer's zone, without the zone. */
function localTime(date: Date): string {
  const shifted = new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, 16);
}

function bodyOf(values: ReturnType<typeof typed>): Settings {
  const { mode, fail_mode, without_key, learn_until } = values;
  return {
    mode: mode || null,
    fail_mode: fail_mode || null,
    without_key: without_key || null,
    learn_until: learn_until ? new Date(learn_until).toISOString() : null,
    alert_threshold_count: numberOf(values.alert_threshold_count),
    alert_threshold_seconds: numberOf(values.alert_threshold_seconds),
    archive_days: numberOf(values.archive_days),
    first_binds_per_minute: numberOf(values.first_binds_per_minute),
  };
}
