"use client";

import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button";
import { Definitions } from "@/components/ui/definition";
import { AttemptList, DeliveryBadge } from "@/components/ui/delivery";
import { Drawer } from "@/components/ui/dialog";
import { ErrorState } from "@/components/ui/error-state";
import { Link } from "@/components/ui/link";
import { SeverityBadge } from "@/components/ui/severity";
import { Skeleton } from "@/components/ui/skeleton";
import { RelativeTime } from "@/components/ui/time";
import { api } from "@/lib/api/client";
import { useLiveRefresh } from "@/lib/api/live";
import type { components } from "@/lib/api/schema";

/** One delivery with each of its attempts; it follows the server while it is open. */
export function DeliveryDrawer({ id, onClose }: { id: string; onClose: () => void }) {
  const t = useTranslations("deliveries");
  const { data, error, refetch } = api.useQuery("get", "/api/v1/deliveries/{id}", { params: { path: { id } } });
  useLiveRefresh("/api/v1/deliveries/{id}");
  const channel = data ? (data.channel_name ?? t("gone", { id: String(data.channel) })) : "…";
  const footer = data && (
    <>
      {data.state === "dead" && (
        <Button asChild>
          <Link href={`/dead-letters/?channel=${data.channel}`}>{t("detail.replay")}</Link>
        </Button>
      )}
      {data.alert && (
        <Button asChild variant="primary">
          <Link href={`/alerts/?id=${data.alert}`}>{t("detail.alert")}</Link>
        </Button>
      )}
    </>
  );
  return (
    <Drawer open onOpenChange={onClose} title={t("detail.title", { channel })} footer={footer}>
      {error ? (
        <ErrorState error={error} onRetry={refetch} />
      ) : !data ? (
        <Skeleton className="h-40" />
      ) : (
        <div className="grid gap-6">
          <Definitions
            items={[
              [t("columns.what"), <What key="what" {...data} />],
              [t("columns.state"), <DeliveryBadge key="state" state={data.state} />],
              [t("columns.changed"), <RelativeTime key="at" at={data.state_at} />],
              [
                t("detail.id"),
                <bdi key="id" className="font-mono text-xs">
                  {data.id}
                </bdi>,
              ],
              [
                t("detail.event"),
                <bdi key="event" className="font-mono text-xs">
                  {data.event}
                </bdi>,
              ],
            ]}
          />
          <section className="grid gap-3">
            <h3 className="font-semibold">{t("detail.tries")}</h3>
            <AttemptList tries={data.tries} />
          </section>
        </div>
      )}
    </Drawer>
  );
}

/** What it tells about: how bad it is, in the words of its sender. */
function What({ subject, severity }: Pick<components["schemas"]["DeliveryView"], "subject" | "severity">) {
  const t = useTranslations("deliveries");
  return (
    <span className="flex flex-wrap items-center gap-2">
      {severity && <SeverityBadge severity={severity} />}
      <bdi className="wrap-anywhere font-medium">{subject || t("noSubject")}</bdi>
    </span>
  );
}
