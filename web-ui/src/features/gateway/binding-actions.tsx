"use client";

import { useQueryClient } from "@tanstack/react-query";
import { Ban, CircleCheck, Unlink } from "lucide-react";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button";
import { Confirm } from "@/components/ui/confirm";
import { toast } from "@/components/ui/toast";
import { api } from "@/lib/api/client";
import type { Binding } from "./gateway";

/** Fetches everything again that shows bindings. */
export function useBindingsChanged() {
  const cache = useQueryClient();
  return async () => {
    await cache.invalidateQueries({ queryKey: ["get", "/api/v1/gateway/bindings"] });
    await cache.invalidateQueries({ queryKey: ["get", "/api/v1/gateway"] });
  };
}

function Key({ binding }: { binding: Binding }) {
  return <bdi className="font-mono text-ink">{binding.masked}</bdi>;
}

/** Refuses the key from everywhere; or, when it is refused, lets it pass again. */
export function BlockBinding({ binding }: { binding: Binding }) {
  const t = useTranslations("gateway.block");
  const changed = useBindingsChanged();
  const params = { path: { id: binding.id } };
  const block = api.useMutation("post", "/api/v1/gateway/bindings/{id}/block");
  const unblock = api.useMutation("post", "/api/v1/gateway/bindings/{id}/unblock");
  const which = binding.blocked ? "off" : "on";
  const confirm = async () => {
    await (binding.blocked ? unblock : block).mutateAsync({ params });
    await changed();
    toast(t(`${which}.done`));
  };
  const trigger = (
    <Button variant="ghost" size="icon" aria-label={t(`${which}.of`, { key: binding.masked })}>
      {binding.blocked ? <CircleCheck aria-hidden /> : <Ban aria-hidden />}
    </Button>
  );
  return (
    <Confirm
      trigger={trigger}
      title={t(`${which}.title`)}
      action={t(`${which}.action`)}
      isDangerous={!binding.blocked}
      onConfirm={confirm}
    >
      <div className="grid gap-2">
        <Key binding={binding} />
        <p>{t(`${which}.text`)}</p>
      </div>
    </Confirm>
  );
}

/** Forgets what the key is bound to. */
export function UnbindBinding({ binding }: { binding: Binding }) {
  const t = useTranslations("gateway.unbind");
  const changed = useBindingsChanged();
  const remove = api.useMutation("delete", "/api/v1/gateway/bindings/{id}");
  const confirm = async () => {
    await remove.mutateAsync({ params: { path: { id: binding.id } } });
    await changed();
    toast(t("done"));
  };
  const trigger = (
    <Button variant="ghost" size="icon" aria-label={t("of", { key: binding.masked })}>
      <Unlink aria-hidden />
    </Button>
  );
  return (
    <Confirm trigger={trigger} title={t("title")} action={t("action")} onConfirm={confirm}>
      <div className="grid gap-2">
        <Key binding={binding} />
        <p>{t(`text.${binding.blocked ? "blocked" : "bound"}`)}</p>
      </div>
    </Confirm>
  );
}
