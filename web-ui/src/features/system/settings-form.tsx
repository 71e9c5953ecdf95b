"use client";

import { useQueryClient } from "@tanstack/react-query";
import { useForm } from "react-hook-form";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { ErrorState } from "@/components/ui/error-state";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { Skeleton } from "@/components/ui/skeleton";
import { toast } from "@/components/ui/toast";
import { api } from "@/lib/api/client";
import { refusedField } from "@/lib/api/field-errors";
import type { components } from "@/lib/api/schema";

const SETTINGS = "/api/v1/settings";

/** What a platform admin can set without a restart. */
export function SettingsForm() {
  const t = useTranslations("system.settings");
  const { data, error, refetch } = api.useQuery("get", SETTINGS);
  return (
    <Card title={t("title")}>
      {error && !data && <ErrorState error={error} onRetry={refetch} isInline />}
      {!data && !error && <Skeleton className="h-16" />}
      {data && <Form view={data} />}
    </Card>
  );
}

function Form({ view }: { view: components["schemas"]["SettingsView"] }) {
  const t = useTranslations("system.settings");
  const cache = useQueryClient();
  const { register, handleSubmit } = useForm({
    defaultValues: { retention: view.settings.history_retention_days?.toString() ?? "" },
  });
  const save = api.useMutation("put", SETTINGS, {
    onSuccess: () => {
      toast(t("saved"));
      return cache.invalidateQueries({ queryKey: ["get", SETTINGS] });
    },
  });
  const refused = refusedField(save.error);
  const effective = view.effective.history_retention_days;
  return (
    <form
      noValidate
      className="grid gap-4"
      onSubmit={handleSubmit(({ retention }) =>
        save.mutate({ body: { history_retention_days: retention === "" ? null : Number(retention) } }),
      )}
    >
      <Field
        label={t("retention")}
        hint={typeof effective === "number" ? t("retentionNow", { days: effective }) : t("retentionHint")}
        error={refused && <bdi>{refused.why}</bdi>}
      >
        {(wiring) => (
          <Input type="number" min={0} inputMode="numeric" dir="ltr" {...wiring} {...register("retention")} />
        )}
      </Field>
      {save.error && !refused && <ErrorState error={save.error} isInline />}
      <div>
        <Button type="submit" isBusy={save.isPending}>
          {t("save")}
        </Button>
      </div>
    </form>
  );
}
