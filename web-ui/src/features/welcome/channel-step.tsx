"use client";

import { CircleCheck, CircleX, Mail, Send, Webhook } from "lucide-react";
import { useState } from "react";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Cut } from "@/components/ui/cut";
import { ErrorState } from "@/components/ui/error-state";
import { Link } from "@/components/ui/link";
import { SkeletonRows } from "@/components/ui/skeleton";
import { api } from "@/lib/api/client";
import type { components } from "@/lib/api/schema";
import { useSession } from "@/lib/session";
import { ChannelForm, type Platform } from "./channel-form";
import { useChannels } from "./channels";
import { Tiles } from "./tiles";

const ICONS = { webhook: Webhook, email: Mail, telegram: Send };
const PLATFORMS = ["webhook", "email", "telegram"] as const;

/** Where should they go? The channels that are there with a test of each, and a short form for the usual ones. */
export function ChannelStep() {
  const t = useTranslations("welcome.channel");
  const { mayEdit } = useSession();
  const { channels, error, refetch } = useChannels();
  const [platform, setPlatform] = useState<Platform>("webhook");
  if (error && !channels) return <ErrorState error={error} onRetry={refetch} />;
  if (!channels) return <SkeletonRows count={3} />;
  return (
    <div className="grid gap-5">
      {channels.length > 0 && (
        <ul aria-label={t("present")} className="divide-y divide-line rounded-lg border bg-surface">
          {channels.map((channel) => (
            <ChannelRow key={channel.id} channel={channel} mayTest={mayEdit} />
          ))}
        </ul>
      )}
      {mayEdit ? (
        <Card title={t("add")}>
          <div className="grid gap-5">
            <Tiles
              label={t("add")}
              tiles={PLATFORMS.map((each) => ({ value: each, icon: ICONS[each], name: t(`platforms.${each}`) }))}
              value={platform}
              onChange={setPlatform}
            />
            <ChannelForm key={platform} platform={platform} names={channels.map(({ name }) => name)} />
            <p className="text-muted text-sm">
              {t.rich("more", {
                link: (words) => (
                  <Link href="/channels/" className="font-medium text-accent underline underline-offset-4">
                    {words}
                  </Link>
                ),
              })}
            </p>
          </div>
        </Card>
      ) : (
        <p className="text-muted">{t("notYours")}</p>
      )}
    </div>
  );
}

function ChannelRow({ channel, mayTest }: { channel: components["schemas"]["ChannelView"]; mayTest: boolean }) {
  const t = useTranslations("welcome.channel");
  const test = api.useMutation("post", "/api/v1/channels/{id}/test");
  return (
    <li aria-label={channel.name} className="grid gap-2 px-4 py-3">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
        <div className="min-w-40 flex-1">
          <p className="font-medium">
            <bdi>{channel.name}</bdi>
          </p>
          <p className="text-muted text-sm">
            <Cut>{[channel.platform, channel.target].filter(Boolean).join(" · ")}</Cut>
          </p>
        </div>
        {mayTest && (
          <Button
            size="sm"
            isBusy={test.isPending}
            aria-label={t("testOne", { name: channel.name })}
            onClick={() => test.mutate({ params: { path: { id: channel.id } } })}
          >
            {t("test")}
          </Button>
        )}
      </div>
      {test.error && <ErrorState error={test.error} isInline />}
      {test.data && <TestResult result={test.data} />}
    </li>
  );
}

function TestResult({ result }: { result: components["schemas"]["TestView"] }) {
  const t = useTranslations("welcome.channel");
  const Icon = result.delivered ? CircleCheck : CircleX;
  return (
    <p
      role="status"
      className={`flex items-start gap-2 text-sm ${result.delivered ? "text-success" : "text-critical"}`}
    >
      <Icon className="mt-0.5 size-4 shrink-0" aria-hidden />
      <span>
        {result.delivered ? t("tested", { ms: result.latency_ms }) : t("refused")}{" "}
        <bdi className="text-muted">{result.detail}</bdi>
      </span>
    </p>
  );
}
