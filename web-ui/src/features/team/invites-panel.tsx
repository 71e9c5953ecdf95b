"use client";

import { useQueryClient } from "@tanstack/react-query";
import { Link2, Ticket } from "lucide-react";
import { useState } from "react";
import { useTranslations } from "use-intl";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Confirm } from "@/components/ui/confirm";
import { CopyButton } from "@/components/ui/copy-button";
import { EmptyState } from "@/components/ui/empty-state";
import { ErrorState } from "@/components/ui/error-state";
import { Field } from "@/components/ui/field";
import { Select } from "@/components/ui/select";
import { SkeletonRows } from "@/components/ui/skeleton";
import { RelativeTime } from "@/components/ui/time";
import { api } from "@/lib/api/client";
import type { components } from "@/lib/api/schema";
import { useSession } from "@/lib/session";
import { ExpiryNote, ExpirySelect, secondsOf } from "./expiry";
import { ROLES, roleOf } from "./roles";

const INVITES = "/api/v1/invites";

/** In place of a role: whoever registers owns a tenant of their own. */
const NEW_TENANT = "new-tenant";

/** Links with which colleagues register. */
export function InvitesPanel() {
  const t = useTranslations("team");
  const cache = useQueryClient();
  const { data, error, refetch } = api.useQuery("get", INVITES);
  const changed = () => cache.invalidateQueries({ queryKey: ["get", INVITES] });
  if (error) return <ErrorState error={error} onRetry={refetch} />;
  return (
    <div className="grid grid-cols-1 gap-5">
      <InviteForm onChanged={changed} />
      {!data && <SkeletonRows count={3} />}
      {data?.items.length === 0 && (
        <EmptyState icon={Ticket} title={t("invites.empty.title")}>
          {t("invites.empty.text")}
        </EmptyState>
      )}
      {data && data.items.length > 0 && (
        <ul className="divide-y divide-line rounded-lg border bg-surface">
          {data.items.map((invite) => (
            <InviteRow key={invite.code} invite={invite} onChanged={changed} />
          ))}
        </ul>
      )}
    </div>
  );
}

function InviteForm({ onChanged }: { onChanged: () => Promise<void> }) {
  const t = useTranslations("team");
  const isAdmin = useSession().data?.platform_admin;
  const [role, setRole] = useState<string>("viewer");
  const [days, setDays] = useState(7);
  const make = api.useMutation("post", INVITES, { onSuccess: onChanged });
  const options = ROLES.map((each) => ({ value: each as string, label: t(`roles.${each}`) }));
  if (isAdmin) options.push({ value: NEW_TENANT, label: t("invites.newTenant") });
  const body = {
    ...(role === NEW_TENANT ? { new_tenant: true } : { role }),
    ttl_seconds: secondsOf(days),
  };
  return (
    <Card title={t("invites.make")}>
      <div className="grid grid-cols-1 items-start gap-4 sm:grid-cols-[1fr_1fr_auto]">
        <Field
          label={t("role")}
          hint={role === NEW_TENANT ? t("invites.newTenantHint") : t(`roleHints.${roleOf(role)}`)}
        >
          {(wiring) => <Select {...wiring} value={role} onValueChange={setRole} options={options} />}
        </Field>
        <Field label={t("valid")}>{({ id }) => <ExpirySelect id={id} value={days} onChange={setDays} />}</Field>
        <Button className="sm:mt-6.5" variant="primary" isBusy={make.isPending} onClick={() => make.mutate({ body })}>
          <Link2 aria-hidden />
          {t("invites.action")}
        </Button>
      </div>
      {make.error && (
        <div className="mt-4">
          <ErrorState error={make.error} isInline />
        </div>
      )}
    </Card>
  );
}

function InviteRow({
  invite,
  onChanged,
}: {
  invite: components["schemas"]["InviteView"];
  onChanged: () => Promise<void>;
}) {
  const t = useTranslations("team");
  const revoke = api.useMutation("delete", "/api/v1/invites/{code}", { onSuccess: onChanged });
  const link = `${window.location.origin}/register#${invite.code}`;
  const isOver = invite.used || (invite.expires_at && new Date(invite.expires_at) < new Date());
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-2 px-4 py-3">
      <Badge tone={isOver ? "neutral" : "accent"}>
        {invite.tenant_id ? t(`roles.${roleOf(invite.role)}`) : t("invites.newTenant")}
      </Badge>
      <bdi className="min-w-40 flex-1 truncate font-mono text-muted text-sm">{link}</bdi>
      <span className="text-muted text-sm">
        {invite.used ? t("invites.used") : <ExpiryNote at={invite.expires_at} />}
        {" · "}
        <RelativeTime at={invite.used_at ?? invite.created_at} />
      </span>
      {!isOver && (
        <div className="flex gap-1.5">
          <CopyButton text={link} label={t("invites.copy")} />
          <Confirm
            trigger={<Button size="sm">{t("revoke")}</Button>}
            title={t("invites.revokeTitle")}
            action={t("revoke")}
            onConfirm={() => revoke.mutateAsync({ params: { path: { code: invite.code } } })}
          >
            {t("invites.revokeText")}
          </Confirm>
        </div>
      )}
    </li>
  );
}
