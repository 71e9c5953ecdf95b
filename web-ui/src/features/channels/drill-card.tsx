"use client";

import { Unplug } from "lucide-react";
import { useTranslations } from "use-intl";
import { useDrill } from "@/components/connect/use-drill";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Confirm } from "@/components/ui/confirm";
import { ErrorState } from "@/components/ui/error-state";
import { RelativeTime } from "@/components/ui/time";
import type { Channel } from "./channel";

/** Marks a channel that pretends to be down. */
export function DrillBadge() {
  const t = useTranslations("channels.drill");
  return (
    <Badge tone="warning">
      <Unplug aria-hidden />
      {t("badge")}
    </Badge>
  );
}

/** Lets the channel pretend to be down, and ends it. */
export function DrillCard({ channel }: { channel: Channel }) {
  const t = useTranslations("channels.drill");
  const drill = useDrill(channel.id);
  return (
    <Card title={t("title")} aside={channel.drill_until && <DrillBadge />}>
      {channel.drill_until ? (
        <div className="grid justify-items-start gap-4">
          <p>{t.rich("isOn", { time: () => <RelativeTime at={channel.drill_until ?? ""} mayBeAhead /> })}</p>
          <Button variant="primary" isBusy={drill.isBusy} onClick={() => void drill.end().catch(() => undefined)}>
            {t("end")}
          </Button>
          {drill.error !== undefined && <ErrorState error={drill.error} isInline />}
        </div>
      ) : (
        <>
          <p className="mb-4 text-muted">{t("text")}</p>
          <Confirm
            trigger={
              <Button>
                <Unplug aria-hidden />
                {t("begin")}
              </Button>
            }
            title={t("question", { name: channel.name })}
            action={t("begin")}
            onConfirm={drill.begin}
          >
            {t("what")}
          </Confirm>
        </>
      )}
    </Card>
  );
}
