"use client";

import { KeyRound } from "lucide-react";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button";
import { EmptyState } from "@/components/ui/empty-state";
import { Link } from "@/components/ui/link";
import { Page } from "@/components/ui/page";

export function GatewayScreen() {
  const t = useTranslations("gateway");
  const action = (
    <Button asChild variant="primary">
      <Link href="/system/">{t("empty.action")}</Link>
    </Button>
  );
  return (
    <Page title={t("title")} description={t("description")}>
      <EmptyState icon={KeyRound} title={t("empty.title")} action={action}>
        {t.rich("empty.text", { code: (words) => <bdi className="font-mono text-ink text-sm">{words}</bdi> })}
      </EmptyState>
    </Page>
  );
}
