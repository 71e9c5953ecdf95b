"use client";

import { useForm } from "react-hook-form";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button";
import { ErrorState } from "@/components/ui/error-state";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { PasswordInput } from "@/components/ui/password-input";
import { refusedField } from "@/lib/api/field-errors";
import { codeIn, useLinkCode } from "./link-code";

/** As the server counts it. */
export const PASSWORD_MIN = 10;

/** The fields that say for themselves what the server refused. */
const FIELDS = ["display_name", "email", "password"];

export interface NewAccount {
  code: string;
  name: string;
  email: string;
  password: string;
}

/** Who one is and the password, for the first user and for those who are invited. Asks for the code if the link had none. */
export function NewAccountForm({
  codeLabel,
  action,
  error,
  isBusy,
  onSubmit,
}: {
  codeLabel: string;
  action: string;
  error: unknown;
  isBusy: boolean;
  onSubmit: (account: NewAccount) => void;
}) {
  const t = useTranslations("session");
  const linkCode = useLinkCode();
  const { register, handleSubmit, formState } = useForm({
    defaultValues: { code: "", name: "", email: "", password: "" },
  });
  const refused = refusedField(error);
  const said = (field: string) => (refused?.field === field ? <bdi>{refused.why}</bdi> : undefined);
  const { errors } = formState;
  const submit = handleSubmit((typed) => onSubmit({ ...typed, code: linkCode || codeIn(typed.code) }));

  return (
    <form onSubmit={submit} noValidate className="grid gap-4">
      {!linkCode && (
        <Field label={codeLabel} error={errors.code && t("codeMissing")}>
          {(wiring) => (
            <Input dir="ltr" autoComplete="off" autoFocus {...wiring} {...register("code", { required: true })} />
          )}
        </Field>
      )}
      <Field label={t("name")} hint={t("nameHint")} error={said("display_name")}>
        {(wiring) => <Input autoComplete="name" {...wiring} {...register("name")} />}
      </Field>
      <Field label={t("email")} error={(errors.email && t("emailMissing")) || said("email")}>
        {(wiring) => (
          <Input
            type="email"
            dir="ltr"
            autoComplete="username"
            {...wiring}
            {...register("email", { required: true })}
          />
        )}
      </Field>
      <Field
        label={t("password")}
        hint={t("passwordHint", { count: PASSWORD_MIN })}
        error={(errors.password && t("passwordShort", { count: PASSWORD_MIN })) || said("password")}
      >
        {(wiring) => (
          <PasswordInput
            autoComplete="new-password"
            {...wiring}
            {...register("password", { required: true, minLength: PASSWORD_MIN })}
          />
        )}
      </Field>
      {Boolean(error) && !FIELDS.includes(refused?.field ?? "") && <ErrorState error={error} isInline />}
      <Button type="submit" variant="primary" isBusy={isBusy}>
        {action}
      </Button>
    </form>
  );
}
