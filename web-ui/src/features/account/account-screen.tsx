"use client";

import dynamic from "next/dynamic";
import { useTranslations } from "use-intl";
import { ErrorState } from "@/components/ui/error-state";
import { Link } from "@/components/ui/link";
import { Page } from "@/components/ui/page";
import { SkeletonRows } from "@/components/ui/skeleton";
import { useSession } from "@/lib/session";
import { SessionList } from "./session-list";

const loading = () => <SkeletonRows count={3} />;
const NameForm = dynamic(() => import("./name-form").then((module) => module.NameForm), { loading });
const PasswordForm = dynamic(() => import("./password-form").then((module) => module.PasswordForm), { loading });
const Preferences = dynamic(() => import("./preferences").then((module) => module.Preferences), { loading });

/** One's own name, password, looks and sessions. */
export function AccountScreen() {
  const t = useTranslations("account");
  const { data, error, refetch } = useSession();
  return (
    <Page title={t("title")} description={t("description")}>
      {error && !data && <ErrorState error={error} onRetry={refetch} />}
      {!data && !error && <SkeletonRows />}
      {data && (
        <div className="grid grid-cols-1 items-start gap-5 lg:grid-cols-2">
          <div className="grid grid-cols-1 gap-5">
            <NameForm user={data.user} />
            <PasswordForm email={data.user.email} />
          </div>
          <div className="grid grid-cols-1 gap-5">
            <Preferences />
            <SessionList />
            <p className="text-muted text-sm">
              {t.rich("tokens", {
                link: (words) => (
                  <Link href="/team/?tab=tokens" className="font-medium text-accent underline underline-offset-4">
                    {words}
                  </Link>
                ),
              })}
            </p>
          </div>
        </div>
      )}
    </Page>
  );
}
