"use client";

import { CircleCheck } from "lucide-react";
import { useForm } from "react-hook-form";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button";
import { ErrorState } from "@/components/ui/error-state";
import { Field } from "@/components/ui/field";
import { Link } from "@/components/ui/link";
import { PasswordInput } from "@/components/ui/password-input";
import { api } from "@/lib/api/client";
import { refusedField } from "@/lib/api/field-errors";
import { Door } from "./door";
import { useLinkCode } from "./link-code";
import { PASSWORD_MIN } from "./new-account-form";

/** A new password, with the link that an owner made. */
export function ResetScreen() {
  const t = useTranslations("session");
  const token = useLinkCode();
  const reset = api.useMutation("post", "/api/v1/auth/reset-password");
  const { register, handleSubmit, formState } = useForm({ defaultValues: { password: "" } });
  const refused = refusedField(reset.error);
  const isRefused = refused?.field === "password";

  if (reset.isSuccess || !token) {
    const words = reset.isSuccess ? "done" : "noLink";
    return (
      <Door title={t(`reset.${words}.title`)} text={t(`reset.${words}.text`)}>
        <Button asChild variant="primary">
          <Link href="/login/">
            {reset.isSuccess && <CircleCheck aria-hidden />}
            {t("reset.toLogin")}
          </Link>
        </Button>
      </Door>
    );
  }
  return (
    <Door title={t("reset.title")} text={t("reset.text")}>
      <form
        onSubmit={handleSubmit(({ password }) => reset.mutate({ body: { token, password } }))}
        noValidate
        className="grid gap-4"
      >
        <Field
          label={t("reset.password")}
          hint={t("passwordHint", { count: PASSWORD_MIN })}
          error={
            (formState.errors.password && t("passwordShort", { count: PASSWORD_MIN })) ||
            (isRefused && <bdi>{refused.why}</bdi>)
          }
        >
          {(wiring) => (
            <PasswordInput
              autoComplete="new-password"
              autoFocus
              {...wiring}
              {...register("password", { required: true, minLength: PASSWORD_MIN })}
            />
          )}
        </Field>
        {reset.error && !isRefused && <ErrorState error={reset.error} isInline />}
        <Button type="submit" variant="primary" isBusy={reset.isPending}>
          {t("reset.action")}
        </Button>
      </form>
    </Door>
  );
}
