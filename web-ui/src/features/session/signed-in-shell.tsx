"use client";

import { useRouter } from "next/navigation";
import type { ReactNode } from "react";
import { useLocale } from "use-intl";
import { Shell } from "@/components/shell/shell";
import { useSession, useSignOut, useTenants } from "@/lib/session";
import { chooseTenant } from "@/lib/tenant";

/** The shell with the one who is signed in. */
export function SignedInShell({ children }: { children: ReactNode }) {
  const { data } = useSession();
  const tenants = useTenants();
  const router = useRouter();
  const locale = useLocale();
  const end = useSignOut();
  if (!data) return null;
  const viewer = {
    name: data.user.display_name || data.user.email,
    email: data.user.email,
    tenant: { id: String(data.tenant.id), name: data.tenant_name },
    tenants: tenants.map(({ id, name }) => ({ id: String(id), name })),
  };
  const signOut = () => void end().then(() => router.replace(`/${locale}/login/`));
  const switchTenant = (id: string) => {
    chooseTenant(id);
    // From the beginning, so that nothing of one tenant stays on screen in another.
    window.location.assign(`/${locale}/`);
  };
  return (
    <Shell viewer={viewer} signOut={signOut} switchTenant={switchTenant}>
      {children}
    </Shell>
  );
}
