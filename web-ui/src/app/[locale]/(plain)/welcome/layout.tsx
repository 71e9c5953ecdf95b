import type { ReactNode } from "react";
import { localeOf } from "@/app/screen";
import { Skeleton } from "@/components/ui/skeleton";
import { SessionGate } from "@/features/session/session-gate";
import { MoreMessages } from "@/lib/i18n/intl";
import { loadMessages } from "@/lib/i18n/messages";

/** The guide has no navigation, but makes things: for those who are signed in. */
export default async function Layout(props: { children: ReactNode; params: Promise<{ locale: string }> }) {
  const messages = await loadMessages(await localeOf(props), ["session"]);
  const skeleton = (
    <div aria-busy className="mx-auto w-full max-w-5xl px-4 py-12 sm:px-6">
      <Skeleton className="mb-3 h-6 w-40" />
      <Skeleton className="w-72" />
    </div>
  );
  return (
    <MoreMessages messages={messages}>
      <SessionGate skeleton={skeleton}>{props.children}</SessionGate>
    </MoreMessages>
  );
}
