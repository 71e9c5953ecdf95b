"use client";

import { useQueryClient } from "@tanstack/react-query";
import { useForm } from "react-hook-form";
import { useTranslations } from "use-intl";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Confirm } from "@/components/ui/confirm";
import { ErrorState } from "@/components/ui/error-state";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { api } from "@/lib/api/client";
import { refusedField } from "@/lib/api/field-errors";
import type { components } from "@/lib/api/schema";

const TENANTS = "/api/v1/tenants";

/** The tenant that the server keeps for itself: mail that names no tenant belongs to it. */
const DEFAULT = 1;

/** The tenants of the installation, for platform admins. One is entered at the top of the page. */
export function Tenants() {
  const t = useTranslations("system.tenants");
  const cache = useQueryClient();
  const { data, error, refetch } = api.useQuery("get", TENANTS);
  const { register, handleSubmit, reset } = useForm({ defaultValues: { name: "" } });
  const changed = async () => {
    await cache.invalidateQueries({ queryKey: ["get", TENANTS] });
    // The switch at the top of the page knows them from there.
    await cache.invalidateQueries({ queryKey: ["get", "/api/v1/me"] });
  };
  const make = api.useMutation("post", TENANTS, {
    onSuccess: () => {
      reset();
      return changed();
    },
  });
  const refused = refusedField(make.error);
  return (
    <Card title={t("title")}>
      <p className="-mt-2 mb-3 text-muted">{t("text")}</p>
      {error && <ErrorState error={error} onRetry={refetch} isInline />}
      <ul className="divide-y divide-line">
        {data?.items.map((tenant) => (
          <TenantRow key={tenant.id} tenant={tenant} onChanged={changed} />
        ))}
      </ul>
      <form
        noValidate
        className="mt-3 grid gap-3"
        onSubmit={handleSubmit(({ name }) => make.mutate({ body: { name } }))}
      >
        <Field label={t("name")} error={refused && <bdi>{refused.why}</bdi>}>
          {(wiring) => <Input autoComplete="off" {...wiring} {...register("name", { required: true })} />}
        </Field>
        {make.error && !refused && <ErrorState error={make.error} isInline />}
        <div>
          <Button type="submit" isBusy={make.isPending}>
            {t("make")}
          </Button>
        </div>
      </form>
    </Card>
  );
}

function TenantRow({
  tenant,
  onChanged,
}: {
  tenant: components["schemas"]["TenantView"];
  onChanged: () => Promise<void>;
}) {
  const t = useTranslations("system.tenants");
  const update = api.useMutation("put", "/api/v1/tenants/{id}", { onSuccess: onChanged });
  const setDisabled = (disabled: boolean) =>
    update.mutateAsync({ params: { path: { id: tenant.id } }, body: { disabled } });
  return (
    <li className="flex min-h-11 items-center gap-2 py-1.5">
      <bdi className="min-w-0 flex-1 truncate font-medium">{tenant.name}</bdi>
      {tenant.disabled && <Badge tone="warning">{t("disabled")}</Badge>}
      {tenant.disabled ? (
        <Button size="sm" isBusy={update.isPending} onClick={() => void setDisabled(false)}>
          {t("enable")}
        </Button>
      ) : (
        tenant.id !== DEFAULT && (
          <Confirm
            trigger={<Button size="sm">{t("disable")}</Button>}
            title={t("disableTitle", { name: tenant.name })}
            action={t("disable")}
            onConfirm={() => setDisabled(true)}
          >
            {t("disableText")}
          </Confirm>
        )
      )}
    </li>
  );
}
