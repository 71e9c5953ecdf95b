"use client";

import { usePathname, useRouter } from "next/navigation";
import { type ReactNode, useEffect } from "react";
import { useLocale } from "use-intl";
import { ShellSkeleton } from "@/components/shell/shell-skeleton";
import { ErrorState } from "@/components/ui/error-state";
import { kindOf } from "@/lib/api/errors";
import { LiveProvider } from "@/lib/api/live";
import { useSession } from "@/lib/session";
import { SessionEnded } from "./session-ended";

/** Shows its children to whoever is signed in; sends everyone else to the login and back again afterwards. */
export function SessionGate({ children }: { children: ReactNode }) {
  const { data, error, refetch } = useSession();
  const router = useRouter();
  const path = usePathname();
  const locale = useLocale();
  const isStranger = !data && kindOf(error) === "unauthorized";

  useEffect(() => {
    if (!isStranger) return;
    const next = encodeURIComponent(path + window.location.search);
    router.replace(`/${locale}/login/?next=${next}`);
  }, [isStranger, router, path, locale]);

  if (data) {
    return (
      <LiveProvider>
        {children}
        <SessionEnded />
      </LiveProvider>
    );
  }
  if (error && !isStranger) return <ErrorState error={error} onRetry={refetch} />;
  return <ShellSkeleton />;
}
