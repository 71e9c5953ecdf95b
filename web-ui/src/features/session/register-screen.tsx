"use client";

import { useRouter } from "next/navigation";
import { useLocale, useTranslations } from "use-intl";
import { Link } from "@/components/ui/link";
import { api } from "@/lib/api/client";
import { Door } from "./door";
import { NewAccountForm } from "./new-account-form";

/** Joining with an invitation. */
export function RegisterScreen() {
  const t = useTranslations("session.register");
  const locale = useLocale();
  const router = useRouter();
  const join = api.useMutation("post", "/api/v1/auth/register", {
    onSuccess: () => router.replace(`/${locale}/`),
  });
  return (
    <Door title={t("title")} text={t("text")}>
      <NewAccountForm
        codeLabel={t("code")}
        action={t("action")}
        error={join.error}
        isBusy={join.isPending || join.isSuccess}
        onSubmit={({ code, name, email, password }) =>
          join.mutate({ body: { invite_code: code, display_name: name, email, password } })
        }
      />
      <p className="mt-7 text-muted text-sm">
        {t.rich("haveAccount", {
          link: (words) => (
            <Link href="/login/" className="font-medium text-accent underline underline-offset-4">
              {words}
            </Link>
          ),
        })}
      </p>
    </Door>
  );
}
