"use client";

import { useQueryClient } from "@tanstack/react-query";
import { KeySquare, Plus } from "lucide-react";
import { useState } from "react";
import { useTranslations } from "use-intl";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Confirm } from "@/components/ui/confirm";
import { EmptyState } from "@/components/ui/empty-state";
import { ErrorState } from "@/components/ui/error-state";
import { SkeletonRows } from "@/components/ui/skeleton";
import { RelativeTime } from "@/components/ui/time";
import { api } from "@/lib/api/client";
import type { components } from "@/lib/api/schema";
import { ExpiryNote } from "./expiry";
import { roleOf } from "./roles";
import { SecretDialog } from "./secret-dialog";
import { TokenForm } from "./token-form";

const TOKENS = "/api/v1/tokens";

/** The API tokens of whoever is looking. */
export function TokensPanel() {
  const t = useTranslations("team");
  const cache = useQueryClient();
  const [isMaking, setMaking] = useState(false);
  const [made, setMade] = useState<components["schemas"]["NewToken"]>();
  const { data, error, refetch } = api.useQuery("get", TOKENS);
  const changed = () => cache.invalidateQueries({ queryKey: ["get", TOKENS] });
  if (error) return <ErrorState error={error} onRetry={refetch} />;
  if (!data) return <SkeletonRows count={3} />;
  const make = (
    <Button variant="primary" onClick={() => setMaking(true)}>
      <Plus aria-hidden />
      {t("tokens.make")}
    </Button>
  );
  const finish = (token: components["schemas"]["NewToken"]) => {
    setMaking(false);
    setMade(token);
    void changed();
  };
  return (
    <>
      {data.items.length === 0 ? (
        <EmptyState icon={KeySquare} title={t("tokens.empty.title")} action={make}>
          {t("tokens.empty.text")}
        </EmptyState>
      ) : (
        <div className="grid gap-4">
          <ul className="divide-y divide-line rounded-lg border bg-surface">
            {data.items.map((token) => (
              <TokenRow key={token.id} token={token} onChanged={changed} />
            ))}
          </ul>
          <div>{make}</div>
        </div>
      )}
      {isMaking && <TokenForm onDone={finish} onClose={() => setMaking(false)} />}
      {made && (
        <SecretDialog
          title={t("tokens.done", { name: made.name })}
          text={t("tokens.doneText")}
          label={t("tokens.one")}
          secret={made.token}
          onClose={() => setMade(undefined)}
        />
      )}
    </>
  );
}

function TokenRow({ token, onChanged }: { token: components["schemas"]["TokenView"]; onChanged: () => Promise<void> }) {
  const t = useTranslations("team");
  const revoke = api.useMutation("delete", "/api/v1/tokens/{id}", { onSuccess: onChanged });
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-2 px-4 py-3">
      <div className="min-w-40 flex-1">
        <p className="flex items-center gap-2 font-medium">
          <bdi className="truncate">{token.name}</bdi>
          <Badge>{t(`roles.${roleOf(token.role)}`)}</Badge>
        </p>
        <p className="text-muted text-sm">
          <bdi className="font-mono">…{token.last4}</bdi>
          {" · "}
          <ExpiryNote at={token.expires_at} />
        </p>
      </div>
      <span className="text-muted text-sm">
        {token.last_used_at
          ? t.rich("tokens.lastUsed", { time: () => <RelativeTime at={token.last_used_at ?? ""} /> })
          : t("tokens.neverUsed")}
      </span>
      <Confirm
        trigger={<Button size="sm">{t("revoke")}</Button>}
        title={t("tokens.revokeTitle", { name: token.name })}
        action={t("revoke")}
        onConfirm={() => revoke.mutateAsync({ params: { path: { id: token.id } } })}
      >
        {t("tokens.revokeText")}
      </Confirm>
    </li>
  );
}
