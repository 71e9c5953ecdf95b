"use client";

import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button";
import { CopyButton } from "@/components/ui/copy-button";
import { ErrorState } from "@/components/ui/error-state";
import { Skeleton } from "@/components/ui/skeleton";
import { client } from "@/lib/api/client";
import { kindOf } from "@/lib/api/errors";
import type { components } from "@/lib/api/schema";
import { harmless } from "./harmless";

const PARTS = ["text", "html", "headers", "source"] as const;
type Part = (typeof PARTS)[number];

/** An event as it came: of a mail its text, its HTML where it can do nothing, its headers; of all others the bytes. */
export function Raw({ event }: { event: components["schemas"]["EventDetail"] }) {
  const t = useTranslations("alerts.raw");
  const isMail = event.source === "mail";
  const [part, setPart] = useState<Part>(isMail ? "text" : "source");
  const { data, error, refetch } = useQuery({
    queryKey: ["raw", event.id, part],
    queryFn: async () => {
      const { data: text, response } = await client.GET("/api/v1/events/{id}/raw", {
        params: { path: { id: event.id }, query: { part } },
        parseAs: "text",
      });
      return { text: text ?? "", isTruncated: response.headers.get("x-truncated") === "true" };
    },
    // What was received never changes.
    staleTime: Number.POSITIVE_INFINITY,
  });
  return (
    <div className="grid gap-3">
      <div className="flex flex-wrap items-center gap-1">
        {isMail &&
          PARTS.map((each) => (
            <Button
              key={each}
              size="sm"
              variant={each === part ? "secondary" : "ghost"}
              aria-pressed={each === part}
              onClick={() => setPart(each)}
            >
              {t(each)}
            </Button>
          ))}
        <span className="ms-auto">{data?.text && <CopyButton text={data.text} />}</span>
      </div>
      {data?.isTruncated && <p className="text-sm text-warning">{t("truncated")}</p>}
      {error && kindOf(error) === "missing" ? (
        <p className="text-muted">{t("noPart")}</p>
      ) : error ? (
        <ErrorState error={error} onRetry={refetch} />
      ) : !data ? (
        <Skeleton className="h-64" />
      ) : data.text === "" ? (
        <p className="text-muted">{t("noPart")}</p>
      ) : part === "html" ? (
        <Page html={data.text} />
      ) : (
        <Text text={data.text} isProse={part === "text"} />
      )}
    </div>
  );
}

/** The HTML of a mail, in a frame without scripts, forms, links or anything from outside. */
function Page({ html }: { html: string }) {
  const t = useTranslations("alerts.raw");
  return (
    <>
      <p className="text-muted text-sm">{t("sandboxed")}</p>
      <iframe
        sandbox=""
        referrerPolicy="no-referrer"
        title={t("html")}
        srcDoc={harmless(html)}
        className="h-[60vh] w-full rounded-md border bg-[white]"
      />
    </>
  );
}

function Text({ text, isProse }: { text: string; isProse: boolean }) {
  return (
    <pre
      dir={isProse ? "auto" : "ltr"}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
      tabIndex={0}
      className="max-h-[60vh] overflow-auto whitespace-pre-wrap break-words rounded-md border bg-sunken p-3 font-mono text-xs"
    >
      {text}
    </pre>
  );
}
