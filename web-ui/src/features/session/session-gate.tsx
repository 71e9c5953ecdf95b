"use client";

import dynamic from "next/dynamic";
import { usePathname, useRouter } from "next/navigation";
import { type ReactNode, useEffect, useState } from "react";
import { useLocale } from "use-intl";
import { ShellSkeleton } from "@/components/shell/shell-skeleton";
import { ErrorState } from "@/components/ui/error-state";
import { kindOf } from "@/lib/api/errors";
import { LiveProvider } from "@/lib/api/live";
import { SESSION_ENDED } from "@/lib/api/provider";
import { useSession } from "@/lib/session";
import { chooseTenant, chosenTenant } from "@/lib/tenant";

// The form is not needed by those who are signed in.
const SessionEnded = dynamic(() => import("./session-ended").then((module) => module.SessionEnded), {
  loading: () => null,
});

/** Shows its children to whoever is signed in; sends everyone else to the login and back again afterwards. */
export function SessionGate({
  children,
  skeleton = <ShellSkeleton />,
}: {
  children: ReactNode;
  /** Stands there while it is not known yet who is looking. */
  skeleton?: ReactNode;
}) {
  const { data, error, refetch } = useSession();
  const router = useRouter();
  const path = usePathname();
  const locale = useLocale();
  const isStranger = !data && kindOf(error) === "unauthorized";
  const isTenantGone = !data && ["forbidden", "missing"].includes(kindOf(error)) && chosenTenant() !== undefined;

  useEffect(() => {
    if (!isStranger) return;
    const next = encodeURIComponent(path + window.location.search);
    router.replace(`/${locale}/login/?next=${next}`);
  }, [isStranger, router, path, locale]);

  useEffect(() => {
    if (!isTenantGone) return;
    chooseTenant(undefined);
    void refetch();
  }, [isTenantGone, refetch]);

  if (data) {
    return (
      <LiveProvider>
        {children}
        <SessionWatch />
      </LiveProvider>
    );
  }
  if (error && !isStranger && !isTenantGone) return <ErrorState error={error} onRetry={refetch} />;
  return skeleton;
}

/** Waits for a request that finds the session ended. */
function SessionWatch() {
  const [hasEnded, setEnded] = useState(false);
  useEffect(() => {
    const end = () => setEnded(true);
    window.addEventListener(SESSION_ENDED, end);
    return () => window.removeEventListener(SESSION_ENDED, end);
  }, []);
  return hasEnded && <SessionEnded onClose={() => setEnded(false)} />;
}
