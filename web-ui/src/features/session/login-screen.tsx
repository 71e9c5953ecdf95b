"use client";

import { useRouter, useSearchParams } from "next/navigation";
import { useLocale, useTranslations } from "use-intl";
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
  return (
    <div className="mx-auto flex w-full max-w-sm flex-1 flex-col justify-center px-4 pb-24">
      <h1 className="font-semibold text-2xl">{t("title")}</h1>
      <p className="mt-1 mb-7 text-muted">{t("description")}</p>
      <LoginForm onDone={() => router.replace(returnPath(next, locale))} />
      <p className="mt-7 text-muted text-sm">{t("noAccount")}</p>
    </div>
  );
}
