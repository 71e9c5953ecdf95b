"use client";

import { RotateCw } from "lucide-react";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button";
import { Definitions } from "@/components/ui/definition";
import { Drawer } from "@/components/ui/dialog";
import { ErrorState } from "@/components/ui/error-state";
import { Link } from "@/components/ui/link";
import { Skeleton } from "@/components/ui/skeleton";
import { RelativeTime } from "@/components/ui/time";
import { api } from "@/lib/api/client";
import { useDestination, useLetterName } from "./dead-letter-table";

/** One dead letter: why it gave up, in full, and where to read on. */
export function DeadLetterDrawer({
  id,
  onReplay,
  onClose,
}: {
  id: string;
  /** Absent for those who may only look. */
  onReplay?: (id: string) => void;
  onClose: () => void;
}) {
  const t = useTranslations("dead-letters");
  const { data, error, refetch } = api.useQuery("get", "/api/v1/dead-letters/{id}", { params: { path: { id } } });
  const nameOf = useLetterName();
  const destinationOf = useDestination();
  const footer = data && (
    <>
      {data.delivery && (
        <Button asChild>
          <Link href={`/deliveries/?id=${data.delivery}`}>{t("detail.delivery")}</Link>
        </Button>
      )}
      {data.alert && (
        <Button asChild>
          <Link href={`/alerts/?id=${data.alert}`}>{t("detail.alert")}</Link>
        </Button>
      )}
      {onReplay && (
        <Button variant="primary" onClick={() => onReplay(id)}>
          <RotateCw aria-hidden />
          {t("replay")}
        </Button>
      )}
    </>
  );
  const title = data ? <bdi>{nameOf(data)}</bdi> : t("detail.title");
  return (
    <Drawer open onOpenChange={onClose} title={title} footer={footer}>
      {error ? (
        <ErrorState error={error} onRetry={refetch} />
      ) : !data ? (
        <Skeleton className="h-40" />
      ) : (
        <div className="grid gap-5">
          <section>
            <h3 className="mb-1.5 font-semibold">{t("detail.reason")}</h3>
            <p dir="auto" className="whitespace-pre-wrap break-words rounded-md bg-critical-soft p-3 font-mono text-sm">
              {data.reason}
            </p>
          </section>
          <Definitions
            items={[
              [t("columns.channel"), <bdi key="channel">{destinationOf(data)}</bdi>],
              [t("detail.buried"), <RelativeTime key="at" at={data.buried_at} />],
              [t("filters.queue"), t(`queues.${data.queue}`)],
              [
                t("detail.job"),
                <bdi key="job" className="font-mono text-xs">
                  {data.id}
                </bdi>,
              ],
            ]}
          />
        </div>
      )}
    </Drawer>
  );
}
