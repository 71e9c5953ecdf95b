"use client";

import { KeyRound } from "lucide-react";
import { useTranslations } from "use-intl";
import { CodeBlock } from "@/components/ui/code-block";
import { EmptyState } from "@/components/ui/empty-state";

const START = `export WATCHBELL_GATEWAY_UPSTREAM=http://new-api:3000
watchbell serve`;
const TRY = "curl http://127.0.0.1:7000/v1/models -H 'Authorization: Bearer sk-…'";

/** What the gateway is for, and how it is switched on. */
export function FirstSteps() {
  const t = useTranslations("gateway.empty");
  return (
    <>
      <EmptyState icon={KeyRound} title={t("title")}>
        {t("text")}
      </EmptyState>
      <ol className="mx-auto grid max-w-2xl grid-cols-1 list-decimal gap-5 ps-6">
        <li>
          <p className="mb-2">{t("start")}</p>
          <CodeBlock code={START} label={t("startLabel")} />
        </li>
        <li>
          <p className="mb-2">{t("try")}</p>
          <CodeBlock code={TRY} label={t("tryLabel")} />
        </li>
        <li>{t("close")}</li>
      </ol>
    </>
  );
}
