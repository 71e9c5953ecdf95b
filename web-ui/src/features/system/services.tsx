"use client";

import { CircleCheck, CircleX, ServerOff } from "lucide-react";
import { useTranslations } from "use-intl";
import { Badge } from "@/components/ui/badge";
import { Card } from "@/components/ui/card";
import { EmptyState } from "@/components/ui/empty-state";
import { ErrorState } from "@/components/ui/error-state";
import { SkeletonRows } from "@/components/ui/skeleton";
import { Table, Td, Th, Tr } from "@/components/ui/table";
import { RelativeTime } from "@/components/ui/time";
import { api } from "@/lib/api/client";

const AGAIN_MS = 10_000;

/** The processes with their last sign of life. */
export function Services() {
  const t = useTranslations("system");
  const { data, error, refetch } = api.useQuery("get", "/api/v1/services", {}, { refetchInterval: AGAIN_MS });
  const versions = [...new Set(data?.items.filter(({ up }) => up).map(({ version }) => version))];
  return (
    <Card
      title={t("services.title")}
      aside={versions.length > 0 && <bdi className="text-muted text-sm">Watchbell {versions.join(", ")}</bdi>}
    >
      {versions.length > 1 && <p className="mb-4 text-sm text-warning">{t("services.mixed")}</p>}
      {error && !data && <ErrorState error={error} onRetry={refetch} />}
      {!data && !error && <SkeletonRows count={2} />}
      {data?.items.length === 0 && (
        <EmptyState icon={ServerOff} title={t("services.empty.title")}>
          {t("services.empty.text")}
        </EmptyState>
      )}
      {data && data.items.length > 0 && (
        <Table>
          <thead>
            <tr>
              <Th>{t("services.name")}</Th>
              <Th>{t("services.state")}</Th>
              <Th>{t("services.started")}</Th>
              <Th>{t("services.seen")}</Th>
            </tr>
          </thead>
          <tbody>
            {data.items.map((service) => (
              <Tr key={`${service.name} ${service.host} ${service.pid} ${service.started_at}`}>
                <Td>
                  <span className="flex flex-wrap items-baseline gap-x-2">
                    <bdi className="font-medium">{service.name}</bdi>
                    {service.host && (
                      <bdi className="font-mono text-muted text-xs">
                        {service.host}:{service.pid}
                      </bdi>
                    )}
                  </span>
                </Td>
                <Td>
                  {service.up ? (
                    <Badge tone="success">
                      <CircleCheck aria-hidden />
                      {t("services.up")}
                    </Badge>
                  ) : (
                    <Badge tone="critical">
                      <CircleX aria-hidden />
                      {t("services.down")}
                    </Badge>
                  )}
                </Td>
                <Td>
                  <RelativeTime at={service.started_at} />
                </Td>
                <Td>
                  <RelativeTime at={service.last_seen} />
                </Td>
              </Tr>
            ))}
          </tbody>
        </Table>
      )}
    </Card>
  );
}
