"use client";

import { Activity, BookOpen, FileJson } from "lucide-react";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { CodeBlock } from "@/components/ui/code-block";
import { Link } from "@/components/ui/link";

/** Where programs find the API and the metrics, and how a backup is made. */
export function Interfaces() {
  const t = useTranslations("system");
  return (
    <>
      <Card title={t("api.title")}>
        <p className="-mt-2 mb-4 text-muted">{t("api.text")}</p>
        <div className="flex flex-wrap gap-2">
          <Button asChild>
            <Link href="/docs/">
              <BookOpen aria-hidden />
              {t("api.docs")}
            </Link>
          </Button>
          <Button asChild>
            <a href="/api/openapi.json">
              <FileJson aria-hidden />
              {t("api.document")}
            </a>
          </Button>
        </div>
      </Card>
      <Card title={t("metrics.title")}>
        <p className="-mt-2 mb-4 text-muted">{t("metrics.text")}</p>
        <div className="grid grid-cols-1 justify-items-start gap-4 *:max-w-full">
          <Button asChild>
            <a href="/metrics">
              <Activity aria-hidden />
              {t("metrics.open")}
            </a>
          </Button>
          <CodeBlock label={t("metrics.label")} code={scrapeOf(window.location)} />
        </div>
      </Card>
      <Card title={t("backup.title")}>
        <p className="-mt-2 mb-4 text-muted">{t("backup.text")}</p>
        <CodeBlock label={t("backup.label")} code={"watchbell backup /srv/backup/watchbell-$(date +%F)"} />
      </Card>
    </>
  );
}

/** How Prometheus is told where to look. */
const scrapeOf = ({ host, protocol }: Location) => `scrape_configs:
  - job_name: watchbell
    scheme: ${protocol.replace(":", "")}
    static_configs:
      - targets: ["${host}"]`;
