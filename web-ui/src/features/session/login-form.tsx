"use client";

import { useForm } from "react-hook-form";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button";
import { ErrorState } from "@/components/ui/error-state";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { api } from "@/lib/api/client";

/** Email and password; `onDone` when the session is there. */
export function LoginForm({ onDone }: { onDone: () => void }) {
  const t = useTranslations("session");
  const login = api.useMutation("post", "/api/v1/auth/login", { onSuccess: onDone });
  const { register, handleSubmit, formState } = useForm({
    defaultValues: { email: "", password: "" },
  });
  const submit = handleSubmit((body) => login.mutate({ body }));

  return (
    <form onSubmit={submit} noValidate className="grid gap-4">
      <Field label={t("email")} error={formState.errors.email && t("emailMissing")}>
        {(wiring) => (
          <Input
            type="email"
            dir="ltr"
            autoComplete="username"
            autoFocus
            {...wiring}
            {...register("email", { required: true })}
          />
        )}
      </Field>
      <Field label={t("password")} error={formState.errors.password && t("passwordMissing")}>
        {(wiring) => (
          <Input
            type="password"
            dir="ltr"
            autoComplete="current-password"
            {...wiring}
            {...register("password", { required: true })}
          />
        )}
      </Field>
      {login.error && <ErrorState error={login.error} isInline />}
      <Button type="submit" variant="primary" isBusy={login.isPending}>
        {t("signIn")}
      </Button>
    </form>
  );
}
