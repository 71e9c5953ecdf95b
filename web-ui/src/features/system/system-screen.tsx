"use client";

import dynamic from "next/dynamic";
import { useTranslations } from "use-intl";
import { Page } from "@/components/ui/page";
import { useSession } from "@/lib/session";
import { Interfaces } from "./interfaces";
import { Queues } from "./queues";
import { Services } from "./services";

// Forms that only platform admins see.
const SettingsForm = dynamic(() => import("./settings-form").then((module) => module.SettingsForm), {
  loading: () => null,
});
const Tenants = dynamic(() => import("./tenants").then((module) => module.Tenants), { loading: () => null });

/** What runs, how deep its queues are, and what can be set while it runs. */
export function SystemScreen() {
  const t = useTranslations("system");
  const isAdmin = useSession().data?.platform_admin;
  return (
    <Page title={t("title")} description={t("description")}>
      <div className="grid grid-cols-1 items-start gap-5 lg:grid-cols-[3fr_2fr]">
        <div className="grid min-w-0 grid-cols-1 gap-5">
          <Services />
          <Queues />
          <Interfaces />
        </div>
        <div className="grid min-w-0 grid-cols-1 gap-5">
          {isAdmin && <SettingsForm />}
          {isAdmin && <Tenants />}
        </div>
      </div>
    </Page>
  );
}
