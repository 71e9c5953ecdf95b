"use client";

import { VolumeX } from "lucide-react";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button";
import { EmptyState } from "@/components/ui/empty-state";
import { Link } from "@/components/ui/link";
import { Page } from "@/components/ui/page";

export function MutesScreen() {
  const t = useTranslations("mutes");
  const action = (
    <Button asChild variant="primary">
      <Link href="/alerts/">{t("empty.action")}</Link>
    </Button>
  );
  return (
    <Page title={t("title")} description={t("description")}>
      <EmptyState icon={VolumeX} title={t("empty.title")} action={action}>
        {t("empty.text")}
      </EmptyState>
    </Page>
  );
}
