"use client";

import { KeyRound, UserCheck, UserMinus, UserX } from "lucide-react";
import { useState } from "react";
import { useFormatter, useTranslations } from "use-intl";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Confirm } from "@/components/ui/confirm";
import { Cut } from "@/components/ui/cut";
import { ErrorState } from "@/components/ui/error-state";
import { Select } from "@/components/ui/select";
import { toast } from "@/components/ui/toast";
import { api } from "@/lib/api/client";
import type { components } from "@/lib/api/schema";
import { ROLES, roleOf } from "./roles";
import { SecretDialog } from "./secret-dialog";

type User = components["schemas"]["UserView"];

/** One user, with what an owner can do about them. */
export function PersonRow({
  user,
  isMe,
  mayChange,
  onChanged,
}: {
  user: User;
  isMe: boolean;
  mayChange: boolean;
  onChanged: () => Promise<void>;
}) {
  const t = useTranslations("team");
  const name = user.display_name || user.email;
  const params = { path: { id: user.id } };
  const update = api.useMutation("put", "/api/v1/users/{id}", { onSuccess: onChanged });
  const changeRole = (role: string) =>
    update.mutate(
      { params, body: { role } },
      { onSuccess: () => toast(t("roleChanged", { name, role: t(`roles.${roleOf(role)}`) })) },
    );
  return (
    <li className="grid gap-3 px-4 py-3" aria-label={name}>
      <div className="flex flex-wrap items-center gap-x-4 gap-y-3">
        <span
          aria-hidden
          className="grid size-9 shrink-0 place-items-center rounded-full bg-accent-soft font-medium text-accent uppercase"
        >
          {name.slice(0, 1)}
        </span>
        <div className="min-w-48 flex-1">
          <p className="flex flex-wrap items-center gap-2 font-medium">
            <bdi className="truncate">{name}</bdi>
            {isMe && <Badge tone="accent">{t("you")}</Badge>}
            {user.platform_admin && <Badge>{t("platformAdmin")}</Badge>}
            {user.disabled && (
              <Badge tone="warning">
                <UserX aria-hidden />
                {t("disabled")}
              </Badge>
            )}
          </p>
          {name !== user.email && (
            <p className="text-muted text-sm">
              <Cut>{user.email}</Cut>
            </p>
          )}
        </div>
        {mayChange ? (
          <Select
            aria-label={t("roleOf", { name })}
            className="w-32"
            value={user.role}
            disabled={update.isPending}
            onValueChange={changeRole}
            options={ROLES.map((role) => ({ value: role, label: t(`roles.${role}`) }))}
          />
        ) : (
          <Badge>{t(`roles.${roleOf(user.role)}`)}</Badge>
        )}
        {mayChange && <Actions user={user} name={name} onChanged={onChanged} />}
      </div>
      {update.error && <ErrorState error={update.error} isInline />}
    </li>
  );
}

function Actions({ user, name, onChanged }: { user: User; name: string; onChanged: () => Promise<void> }) {
  const t = useTranslations("team");
  const params = { path: { id: user.id } };
  const update = api.useMutation("put", "/api/v1/users/{id}", { onSuccess: onChanged });
  const remove = api.useMutation("delete", "/api/v1/users/{id}", { onSuccess: onChanged });
  const setDisabled = (disabled: boolean) => update.mutateAsync({ params, body: { disabled } });
  return (
    <div className="flex flex-wrap gap-1.5">
      <ResetLink user={user} name={name} />
      {user.disabled ? (
        <Button
          size="sm"
          isBusy={update.isPending}
          onClick={() => update.mutate({ params, body: { disabled: false } })}
        >
          <UserCheck aria-hidden />
          {t("enable")}
        </Button>
      ) : (
        <Confirm
          trigger={
            <Button size="sm">
              <UserX aria-hidden />
              {t("disable")}
            </Button>
          }
          title={t("disableTitle", { name })}
          action={t("disable")}
          onConfirm={() => setDisabled(true)}
        >
          {t("disableText")}
        </Confirm>
      )}
      <Confirm
        trigger={
          <Button size="sm">
            <UserMinus aria-hidden />
            {t("remove")}
          </Button>
        }
        title={t("removeTitle", { name })}
        action={t("remove")}
        onConfirm={() => remove.mutateAsync({ params })}
      >
        {t("removeText")}
      </Confirm>
    </div>
  );
}

function ResetLink({ user, name }: { user: User; name: string }) {
  const t = useTranslations("team.reset");
  const format = useFormatter();
  const [link, setLink] = useState<{ url: string; until: string }>();
  const make = api.useMutation("post", "/api/v1/users/{id}/reset-password");
  const confirm = async () => {
    const made = await make.mutateAsync({ params: { path: { id: user.id } } });
    setLink({ url: made.link ?? `${window.location.origin}/reset#${made.token}`, until: made.expires_at });
  };
  return (
    <>
      <Confirm
        trigger={
          <Button size="sm">
            <KeyRound aria-hidden />
            {t("open")}
          </Button>
        }
        title={t("title", { name })}
        action={t("make")}
        isDangerous={false}
        onConfirm={confirm}
      >
        {t("text")}
      </Confirm>
      {link && (
        <SecretDialog
          title={t("done", { name })}
          text={t("until", {
            time: format.dateTime(new Date(link.until), { dateStyle: "medium", timeStyle: "short" }),
          })}
          label={t("link")}
          secret={link.url}
          onClose={() => setLink(undefined)}
        />
      )}
    </>
  );
}
