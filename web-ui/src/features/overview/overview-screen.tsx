"use client";

import { LayoutDashboard } from "lucide-react";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button";
import { EmptyState } from "@/components/ui/empty-state";
import { Link } from "@/components/ui/link";
import { Page } from "@/components/ui/page";

export function OverviewScreen() {
  const t = useTranslations("overview");
  const action = (
    <Button asChild variant="primary">
      <Link href="/welcome/">{t("empty.action")}</Link>
    </Button>
  );
  return (
    <Page title={t("title")} description={t("description")}>
      <EmptyState icon={LayoutDashboard} title={t("empty.title")} action={action}>
        {t("empty.text")}
      </EmptyState>
    </Page>
  );
}
