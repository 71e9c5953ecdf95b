"use client";

import { useRouter, useSearchParams } from "next/navigation";
import { useLocale, useTranslations } from "use-intl";
import { api } from "@/lib/api/client";
import { Door } from "./door";
import { LoginForm } from "./login-form";

/** Where to go after signing in: a path of the dashboard, never another site. */
export function returnPath(next: string | null, locale: string): string {
  return next?.startsWith(`/${locale}/`) ? next : `/${locale}/`;
}

export function LoginScreen() {
  const t = useTranslations("session");
  const locale = useLocale();
  const router = useRouter();
  const next = useSearchParams().get("next");
  const isNew = api.useQuery("get", "/api/v1/setup", {}, { retry: false }).data?.needed;
  return (
    <Door title={t("title")} text={t("description")}>
      {isNew && <p className="mb-5 rounded-md bg-accent-soft p-3 text-accent text-sm">{t("isNew")}</p>}
      <LoginForm onDone={() => router.replace(returnPath(next, locale))} />
      <p className="mt-7 text-muted text-sm">{t("noAccount")}</p>
    </Door>
  );
}
