"use client";

import { useQueryClient } from "@tanstack/react-query";
import { useForm } from "react-hook-form";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { ErrorState } from "@/components/ui/error-state";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { toast } from "@/components/ui/toast";
import { api } from "@/lib/api/client";
import type { components } from "@/lib/api/schema";

/** The name that stands beside what one does. */
export function NameForm({ user }: { user: components["schemas"]["UserView"] }) {
  const t = useTranslations("account");
  const cache = useQueryClient();
  const { register, handleSubmit } = useForm({ defaultValues: { name: user.display_name } });
  const save = api.useMutation("put", "/api/v1/me", {
    onSuccess: () => {
      toast(t("name.saved"));
      return cache.invalidateQueries({ queryKey: ["get", "/api/v1/me"] });
    },
  });
  return (
    <Card title={t("name.title")}>
      <form
        noValidate
        className="grid gap-4"
        onSubmit={handleSubmit(({ name }) => save.mutate({ body: { display_name: name } }))}
      >
        <Field label={t("email")}>{({ id }) => <Input id={id} dir="ltr" value={user.email} disabled />}</Field>
        <Field label={t("name.label")} hint={t("name.hint")}>
          {(wiring) => <Input autoComplete="name" maxLength={100} {...wiring} {...register("name")} />}
        </Field>
        {save.error && <ErrorState error={save.error} isInline />}
        <div>
          <Button type="submit" isBusy={save.isPending}>
            {t("name.save")}
          </Button>
        </div>
      </form>
    </Card>
  );
}
