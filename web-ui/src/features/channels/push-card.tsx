"use client";

import { useQueryClient } from "@tanstack/react-query";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { CodeBlock } from "@/components/ui/code-block";
import { Confirm } from "@/components/ui/confirm";
import { toast } from "@/components/ui/toast";
import { api } from "@/lib/api/client";
import type { Channel } from "./channel";
import { reachable } from "./reachable";

/** How programs post to the channel directly: its token, and a line to copy. */
export function PushCard({ channel }: { channel: Channel }) {
  const t = useTranslations("channels.push");
  const cache = useQueryClient();
  const rotate = api.useMutation("post", "/api/v1/channels/{id}/rotate-token");
  const confirm = async () => {
    const params = { path: { id: channel.id } };
    const rotated = await rotate.mutateAsync({ params });
    cache.setQueryData(["get", "/api/v1/channels/{id}", { params }], rotated);
    toast(t("rotated"));
  };
  return (
    <Card title={t("title")} className="min-w-0">
      <p className="mb-4 text-muted">{t("text")}</p>
      <div className="grid gap-3">
        <CodeBlock label={t("token")} code={channel.push_token ?? ""} />
        {channel.curl && <CodeBlock label={t("curl")} code={reachable(channel.curl, window.location.origin)} />}
        {!channel.provisioned && (
          <Confirm
            trigger={<Button className="justify-self-start">{t("rotate")}</Button>}
            title={t("question", { name: channel.name })}
            action={t("rotate")}
            onConfirm={confirm}
          >
            {t("what")}
          </Confirm>
        )}
      </div>
    </Card>
  );
}
