"use client";

import { useForm } from "react-hook-form";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button";
import { ErrorState } from "@/components/ui/error-state";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { PasswordInput } from "@/components/ui/password-input";
import { api } from "@/lib/api/client";
import { kindOf } from "@/lib/api/errors";

/** Email and password; `onDone` when the session is there. */
export function LoginForm({ onDone }: { onDone: () => void }) {
  const t = useTranslations("session");
  const login = api.useMutation("post", "/api/v1/auth/login", { onSuccess: onDone });
  const isRefused = kindOf(login.error) === "unauthorized";
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
          <PasswordInput autoComplete="current-password" {...wiring} {...register("password", { required: true })} />
        )}
      </Field>
      {isRefused && (
        <p role="alert" className="rounded-md bg-critical-soft p-3 text-critical text-sm">
          {t("wrong")}
        </p>
      )}
      {login.error && !isRefused && <ErrorState error={login.error} isInline />}
      <Button type="submit" variant="primary" isBusy={login.isPending}>
        {t("signIn")}
      </Button>
    </form>
  );
}
