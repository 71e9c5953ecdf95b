"use client";

import { Braces, ChartLine, Flame, type LucideIcon, Mail, Monitor } from "lucide-react";
import { useState } from "react";
import { useTranslations } from "use-intl";
import { CodeBlock } from "@/components/ui/code-block";
import { ErrorState } from "@/components/ui/error-state";
import { Field } from "@/components/ui/field";
import { Select } from "@/components/ui/select";
import { Skeleton } from "@/components/ui/skeleton";
import { api } from "@/lib/api/client";
import { useChannels } from "./channels";
import { FirstAlert } from "./first-alert";
import { BY_MAIL, SOURCES, type Source, snippet } from "./snippets";
import { Tiles } from "./tiles";

const ICONS: Record<Source, LucideIcon> = {
  mail: Mail,
  alertmanager: Flame,
  grafana: ChartLine,
  zabbix: Monitor,
  curl: Braces,
};

/** Stands where a token goes for those who may not see tokens. */
const NO_TOKEN = "PUSH_TOKEN";

/** Whether only the server's own machine reaches that address. */
function isLocal(host: string | null | undefined): boolean {
  return host === "::1" || (host?.startsWith("127.") ?? false);
}

/** What sends your alerts? A tile for each, what to write into its settings, and the wait for the first one. */
export function SourceStep() {
  const t = useTranslations("welcome");
  const [source, setSource] = useState<Source>("mail");
  const [chosen, setChosen] = useState<string>();
  const { channels, error, refetch } = useChannels();
  const doors = api.useQuery("get", "/api/v1/doors", {}, { staleTime: Number.POSITIVE_INFINITY });
  const mail = doors.data?.mail;
  const withToken = channels?.filter(({ push_token, enabled }) => push_token && enabled) ?? [];
  const channel = withToken.find(({ id }) => String(id) === chosen) ?? withToken[0];
  const token = channel?.push_token ?? undefined;
  const isMail = BY_MAIL.includes(source);
  return (
    <div className="grid gap-5">
      <Tiles
        label={t("sources.title")}
        tiles={SOURCES.map((each) => ({ value: each, icon: ICONS[each], name: t(`sources.names.${each}`) }))}
        value={source}
        onChange={setSource}
      />
      <p className="text-muted">{t(`sources.how.${source}`)}</p>
      {error && !channels && <ErrorState error={error} onRetry={refetch} isInline />}
      {!isMail && withToken.length > 1 && (
        <Field label={t("sources.token")} hint={t("sources.tokenHint")}>
          {(wiring) => (
            <Select
              {...wiring}
              className="max-w-xs"
              value={String(channel?.id)}
              onValueChange={setChosen}
              options={withToken.map(({ id, name }) => ({ value: String(id), label: <bdi>{name}</bdi> }))}
            />
          )}
        </Field>
      )}
      {mail && (channels || error) ? (
        <CodeBlock
          label={t(`sources.names.${source}`)}
          code={snippet(source, window.location, mail, token ?? NO_TOKEN)}
        />
      ) : (
        <Skeleton className="h-28 rounded-lg" />
      )}
      {isMail && mail && (
        <p className="-mt-2 text-muted text-sm">
          {isLocal(mail.host)
            ? t("sources.mailLocal", { port: String(mail.port) })
            : t("sources.mailPort", { port: String(mail.port) })}
        </p>
      )}
      {!isMail && channels && !token && <p className="-mt-2 text-muted text-sm">{t("sources.noToken")}</p>}
      <FirstAlert token={token} />
    </div>
  );
}
