"use client";

import { useQueryClient } from "@tanstack/react-query";
import { ArrowDown, ArrowUp, KeyRound } from "lucide-react";
import { useFormatter, useTranslations } from "use-intl";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { ErrorState } from "@/components/ui/error-state";
import { Link } from "@/components/ui/link";
import { ProvisionedBadge } from "@/components/ui/provisioned";
import { api } from "@/lib/api/client";
import { useSession } from "@/lib/session";
import { useSpan } from "@/lib/use-span";
import type { Provider } from "./provider";
import { useUsage } from "./use-usage";

/** The models in the order in which they are asked. Those of the provisioning file come first and stay there. */
export function ProviderList({ providers }: { providers: Provider[] }) {
  const t = useTranslations("ai");
  const { mayEdit } = useSession();
  const cache = useQueryClient();
  const order = api.useMutation("put", "/api/v1/ai-providers/order", {
    onSuccess: (ordered) => cache.setQueryData(["get", "/api/v1/ai-providers", {}], ordered),
    onSettled: () => cache.invalidateQueries({ queryKey: ["get", "/api/v1/ai-providers"] }),
  });
  const movable = providers.filter(({ provisioned }) => !provisioned).map(({ id }) => id);
  const move = (id: number, by: number) => {
    const at = movable.indexOf(id);
    const ids = [...movable];
    ids.splice(at + by, 0, ...ids.splice(at, 1));
    order.mutate({ body: { ids } });
  };
  return (
    <div className="grid gap-3">
      {order.error && <ErrorState error={order.error} isInline />}
      <ol aria-label={t("order")} className="divide-y divide-line rounded-lg border bg-surface">
        {providers.map((provider, index) => (
          <li key={provider.id} className="flex items-center gap-4 px-4 py-3">
            <span className="w-5 text-center text-muted tabular-nums">{t("number", { number: index + 1 })}</span>
            <Row provider={provider} />
            {mayEdit && !provider.provisioned && (
              <div className="flex shrink-0">
                <Button
                  variant="ghost"
                  size="icon"
                  aria-label={t("up", { model: provider.model })}
                  disabled={order.isPending || movable[0] === provider.id}
                  onClick={() => move(provider.id, -1)}
                >
                  <ArrowUp aria-hidden />
                </Button>
                <Button
                  variant="ghost"
                  size="icon"
                  aria-label={t("down", { model: provider.model })}
                  disabled={order.isPending || movable.at(-1) === provider.id}
                  onClick={() => move(provider.id, 1)}
                >
                  <ArrowDown aria-hidden />
                </Button>
              </div>
            )}
          </li>
        ))}
      </ol>
      <p className="px-1 text-muted text-sm">{t("orderHint")}</p>
    </div>
  );
}

function Row({ provider }: { provider: Provider }) {
  const t = useTranslations("ai");
  const format = useFormatter();
  const today = useUsage().data?.providers.find(({ id }) => id === provider.id);
  const span = useSpan();
  const price = (value: number) => format.number(value, { maximumFractionDigits: 4 });
  return (
    <div className="min-w-0 flex-1">
      <div className="flex flex-wrap items-center gap-2">
        <Link href={`/ai/?id=${provider.id}`} className="font-medium hover:text-accent hover:underline">
          <bdi className="wrap-anywhere">{provider.model}</bdi>
        </Link>
        <Badge>{t(`kinds.${provider.kind}`)}</Badge>
        {provider.api_key_set && (
          <Badge>
            <KeyRound aria-hidden />
            {t("keySet")}
          </Badge>
        )}
        {provider.provisioned && <ProvisionedBadge />}
      </div>
      <p className="mt-0.5 flex flex-wrap gap-x-3 text-muted text-sm">
        <bdi className="wrap-anywhere">{provider.base_url}</bdi>
        <span>{t("waits", { timeout: span(provider.timeout) })}</span>
        {today && <span>{t("usage.calls", { calls: today.calls })}</span>}
        {today && today.unanswered > 0 && (
          <span className="text-warning">{t("usage.unanswered", { calls: today.unanswered })}</span>
        )}
        {(provider.prompt_price > 0 || provider.completion_price > 0) && (
          <span>
            {t("prices", { prompt: price(provider.prompt_price), completion: price(provider.completion_price) })}
          </span>
        )}
      </p>
    </div>
  );
}
