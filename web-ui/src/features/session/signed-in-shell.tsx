"use client";

import { useRouter } from "next/navigation";
import type { ReactNode } from "react";
import { useLocale } from "use-intl";
import { Shell } from "@/components/shell/shell";
import { useSession, useSignOut } from "@/lib/session";

/** The shell with the one who is signed in. */
export function SignedInShell({ children }: { children: ReactNode }) {
  const { data } = useSession();
  const router = useRouter();
  const locale = useLocale();
  const end = useSignOut();
  if (!data) return null;
  const viewer = {
    name: data.user.display_name,
    email: data.user.email,
    tenant: { id: String(data.tenant.id), name: data.tenant_name },
    tenants: [],
  };
  const signOut = () => void end().then(() => router.replace(`/${locale}/login/`));
  return (
    <Shell viewer={viewer} signOut={signOut} switchTenant={() => {}}>
      {children}
    </Shell>
  );
}
