"use client";

import { Braces, ChartLine, Flame, type LucideIcon, Mail, Monitor } from "lucide-react";
import { RadioGroup } from "radix-ui";
import { useState } from "react";
import { useTranslations } from "use-intl";
import { CodeBlock } from "@/components/ui/code-block";
import { SOURCES, type Source, snippet } from "./snippets";

const ICONS: Record<Source, LucideIcon> = {
  mail: Mail,
  alertmanager: Flame,
  grafana: ChartLine,
  zabbix: Monitor,
  curl: Braces,
};

/** What sends your alerts? A tile for each, and what to write into its settings. */
export function SourceStep() {
  const t = useTranslations("welcome");
  const [source, setSource] = useState<Source>("mail");
  return (
    <div className="grid gap-5">
      <RadioGroup.Root
        aria-label={t("sources.title")}
        value={source}
        onValueChange={(value) => setSource(SOURCES.find((each) => each === value) ?? "mail")}
        className="grid grid-cols-2 gap-2 sm:grid-cols-5"
      >
        {SOURCES.map((each) => {
          const Icon = ICONS[each];
          return (
            <RadioGroup.Item
              key={each}
              value={each}
              className="grid justify-items-start gap-3 rounded-lg border bg-surface p-3.5 text-start font-medium hover:border-line-strong data-[state=checked]:border-accent data-[state=checked]:bg-accent-soft"
            >
              <Icon className="size-5 text-accent" strokeWidth={1.75} aria-hidden />
              {t(`sources.names.${each}`)}
            </RadioGroup.Item>
          );
        })}
      </RadioGroup.Root>
      <p className="text-muted">{t(`sources.how.${source}`)}</p>
      <CodeBlock label={t(`sources.names.${source}`)} code={snippet(source, window.location)} />
    </div>
  );
}
