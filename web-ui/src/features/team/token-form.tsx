"use client";

import { useId, useState } from "react";
import { useForm } from "react-hook-form";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { ErrorState } from "@/components/ui/error-state";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { Select } from "@/components/ui/select";
import { api } from "@/lib/api/client";
import { refusedField } from "@/lib/api/field-errors";
import type { components } from "@/lib/api/schema";
import { useSession } from "@/lib/session";
import { ExpirySelect, secondsOf } from "./expiry";
import { type Role, roleOf, rolesUpTo } from "./roles";

/** What a new token is for and what it may do. */
export function TokenForm({
  onDone,
  onClose,
}: {
  onDone: (token: components["schemas"]["NewToken"]) => void;
  onClose: () => void;
}) {
  const t = useTranslations("team");
  const common = useTranslations("common");
  const formId = useId();
  const mine = roleOf(useSession().data?.role);
  const [role, setRole] = useState<Role>("viewer");
  const [days, setDays] = useState(365);
  const { register, handleSubmit, formState } = useForm({ defaultValues: { name: "" } });
  const make = api.useMutation("post", "/api/v1/tokens", { onSuccess: onDone });
  const refused = refusedField(make.error);
  const isNameRefused = refused?.field === "name";
  const submit = handleSubmit(({ name }) => make.mutate({ body: { name, role, expires_in_s: secondsOf(days) } }));
  const footer = (
    <>
      <Button onClick={onClose}>{common("cancel")}</Button>
      <Button type="submit" form={formId} variant="primary" isBusy={make.isPending}>
        {t("tokens.make")}
      </Button>
    </>
  );
  return (
    <Dialog open onOpenChange={onClose} title={t("tokens.make")} description={t("tokens.makeText")} footer={footer}>
      <form id={formId} onSubmit={submit} noValidate className="grid gap-4">
        <Field
          label={t("tokens.name")}
          hint={t("tokens.nameHint")}
          error={(formState.errors.name && t("tokens.nameMissing")) || (isNameRefused && <bdi>{refused.why}</bdi>)}
        >
          {(wiring) => <Input autoFocus maxLength={64} {...wiring} {...register("name", { required: true })} />}
        </Field>
        <Field label={t("role")} hint={t(`roleHints.${role}`)}>
          {(wiring) => (
            <Select
              {...wiring}
              value={role}
              onValueChange={(next) => setRole(roleOf(next))}
              options={rolesUpTo(mine).map((each) => ({ value: each, label: t(`roles.${each}`) }))}
            />
          )}
        </Field>
        <Field label={t("valid")}>{({ id }) => <ExpirySelect id={id} value={days} onChange={setDays} />}</Field>
        {make.error && !isNameRefused && <ErrorState error={make.error} isInline />}
      </form>
    </Dialog>
  );
}
