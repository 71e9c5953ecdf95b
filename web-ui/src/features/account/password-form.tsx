"use client";

import { useForm } from "react-hook-form";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { ErrorState } from "@/components/ui/error-state";
import { Field } from "@/components/ui/field";
import { PasswordInput } from "@/components/ui/password-input";
import { toast } from "@/components/ui/toast";
import { api } from "@/lib/api/client";
import { refusedField } from "@/lib/api/field-errors";

/** As the server counts it. */
const PASSWORD_MIN = 10;

/** Changing one's password ends all other sessions. */
export function PasswordForm({ email }: { email: string }) {
  const t = useTranslations("account.password");
  const { register, handleSubmit, formState, reset } = useForm({ defaultValues: { present: "", next: "" } });
  const change = api.useMutation("post", "/api/v1/me/password", {
    onSuccess: () => {
      reset();
      toast(t("saved"));
    },
  });
  const refused = refusedField(change.error);
  const isWrong = refused?.field === "current_password";
  const isRefused = refused?.field === "new_password";
  const { errors } = formState;
  return (
    <Card title={t("title")}>
      <form
        noValidate
        className="grid gap-4"
        onSubmit={handleSubmit(({ present, next }) =>
          change.mutate({ body: { current_password: present, new_password: next } }),
        )}
      >
        {/* For password managers. */}
        <input type="hidden" name="username" autoComplete="username" value={email} readOnly />
        <Field label={t("present")} error={(errors.present && t("presentMissing")) || (isWrong && t("wrong"))}>
          {(wiring) => (
            <PasswordInput autoComplete="current-password" {...wiring} {...register("present", { required: true })} />
          )}
        </Field>
        <Field
          label={t("next")}
          hint={t("hint")}
          error={(errors.next && t("short", { count: PASSWORD_MIN })) || (isRefused && <bdi>{refused.why}</bdi>)}
        >
          {(wiring) => (
            <PasswordInput
              autoComplete="new-password"
              {...wiring}
              {...register("next", { required: true, minLength: PASSWORD_MIN })}
            />
          )}
        </Field>
        {change.error && !isWrong && !isRefused && <ErrorState error={change.error} isInline />}
        <div>
          <Button type="submit" isBusy={change.isPending}>
            {t("save")}
          </Button>
        </div>
      </form>
    </Card>
  );
}
