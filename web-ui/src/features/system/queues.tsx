"use client";

import { useFormatter, useTranslations } from "use-intl";
import { Card } from "@/components/ui/card";
import { ErrorState } from "@/components/ui/error-state";
import { Link } from "@/components/ui/link";
import { SkeletonRows } from "@/components/ui/skeleton";
import { NUMBERS, Table, Td, Th, Tr } from "@/components/ui/table";
import { api } from "@/lib/api/client";

const AGAIN_MS = 3_000;
const STATES = ["ready", "leased", "waiting", "held", "dead"] as const;

/** How much is on its way, and where. */
export function Queues() {
  const t = useTranslations("system.queues");
  const format = useFormatter();
  const { data, error, refetch } = api.useQuery("get", "/api/v1/queues", {}, { refetchInterval: AGAIN_MS });
  return (
    <Card title={t("title")}>
      <p className="-mt-2 mb-4 text-muted">{t("text")}</p>
      {error && !data && <ErrorState error={error} onRetry={refetch} />}
      {!data && !error && <SkeletonRows count={5} />}
      {data && (
        <Table>
          <thead>
            <tr>
              <Th>{t("name")}</Th>
              {STATES.map((state) => (
                <Th key={state} className="text-end">
                  {t(`states.${state}`)}
                </Th>
              ))}
            </tr>
          </thead>
          <tbody>
            {data.queues.map((queue) => (
              <Tr key={queue.queue}>
                <Td className="whitespace-nowrap font-medium">{t(`names.${queue.queue}`)}</Td>
                {STATES.map((state) => (
                  <Td key={state} className={NUMBERS}>
                    {state === "dead" && queue.dead > 0 ? (
                      <Link
                        href={`/dead-letters/?queue=${queue.queue}`}
                        className="font-medium text-critical underline underline-offset-4"
                      >
                        {format.number(queue.dead)}
                      </Link>
                    ) : (
                      <span className={queue[state] === 0 ? "text-muted" : "font-medium"}>
                        {format.number(queue[state])}
                      </span>
                    )}
                  </Td>
                ))}
              </Tr>
            ))}
          </tbody>
        </Table>
      )}
    </Card>
  );
}
