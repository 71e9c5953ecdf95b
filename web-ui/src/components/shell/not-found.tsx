"use client";

import { Compass } from "lucide-react";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button";
import { EmptyState } from "@/components/ui/empty-state";
import { Link } from "@/components/ui/link";

export function NotFound() {
  const t = useTranslations("shell.notFound");
  const action = (
    <Button asChild variant="primary">
      <Link href="/">{t("action")}</Link>
    </Button>
  );
  return (
    <EmptyState heading="h1" icon={Compass} title={t("title")} action={action}>
      {t("text")}
    </EmptyState>
  );
}
