import type { ReactNode } from "react";
import { localeOf } from "@/app/screen";
import { SessionGate } from "@/features/session/session-gate";
import { SignedInShell } from "@/features/session/signed-in-shell";
import { MoreMessages } from "@/lib/i18n/intl";
import { loadMessages } from "@/lib/i18n/messages";

/** Everything behind the login. */
export default async function Layout(props: { children: ReactNode; params: Promise<{ locale: string }> }) {
  const messages = await loadMessages(await localeOf(props), ["session"]);
  return (
    <MoreMessages messages={messages}>
      <SessionGate>
        <SignedInShell>{props.children}</SignedInShell>
      </SessionGate>
    </MoreMessages>
  );
}
