"use client";

import { useRouter } from "next/navigation";
import { useLocale, useTranslations } from "use-intl";
import { Button } from "@/components/ui/button";
import { Link } from "@/components/ui/link";
import { api } from "@/lib/api/client";
import { Door } from "./door";
import { NewAccountForm } from "./new-account-form";

/** The first user of a new server, with the link that the server printed. Leads to the guide. */
export function SetupScreen() {
  const t = useTranslations("session.setup");
  const locale = useLocale();
  const router = useRouter();
  const state = api.useQuery("get", "/api/v1/setup");
  const setup = api.useMutation("post", "/api/v1/setup", {
    onSuccess: () => router.replace(`/${locale}/welcome/`),
  });

  if (state.data && !state.data.needed && !setup.isSuccess) {
    return (
      <Door title={t("done.title")} text={t("done.text")}>
        <Button asChild variant="primary">
          <Link href="/login/">{t("done.action")}</Link>
        </Button>
      </Door>
    );
  }
  return (
    <Door title={t("title")} text={t("text")}>
      <NewAccountForm
        codeLabel={t("code")}
        action={t("action")}
        error={setup.error}
        isBusy={setup.isPending || setup.isSuccess}
        onSubmit={({ code, name, email, password }) =>
          setup.mutate({ body: { token: code, display_name: name, email, password } })
        }
      />
    </Door>
  );
}
