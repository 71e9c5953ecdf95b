"use client";

import { Hash, LoaderCircle, Search, User, Users } from "lucide-react";
import { useState } from "react";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button";
import { ErrorState } from "@/components/ui/error-state";
import { api } from "@/lib/api/client";
import type { components } from "@/lib/api/schema";

export type Chat = components["schemas"]["ChatView"];

const AGAIN_MS = 2_000;
const KINDS = ["private", "group", "supergroup", "channel"] as const;

/** Finds the chat of a Telegram bot: one writes to it there, and chooses it here. Without a bot, `onStart` makes one. */
export function ChatFinder({
  bot,
  isBusy,
  onStart,
  onChoose,
}: {
  bot: number | undefined;
  isBusy?: boolean;
  onStart?: () => void;
  onChoose: (chat: Chat) => void;
}) {
  const t = useTranslations("connect.chats");
  const [isLooking, setLooking] = useState(false);
  if (!isLooking || bot === undefined) {
    const start = () => {
      setLooking(true);
      onStart?.();
    };
    return (
      <Button className="justify-self-start" isBusy={isBusy} onClick={start}>
        <Search aria-hidden />
        {t("find")}
      </Button>
    );
  }
  const choose = (chat: Chat) => {
    setLooking(false);
    onChoose(chat);
  };
  return (
    <div className="grid gap-3 rounded-md bg-sunken p-3">
      <p className="text-sm">{t("how")}</p>
      <Found bot={bot} onChoose={choose} />
      <Button size="sm" className="justify-self-start" onClick={() => setLooking(false)}>
        {t("stop")}
      </Button>
    </div>
  );
}

function Found({ bot, onChoose }: { bot: number; onChoose: (chat: Chat) => void }) {
  const t = useTranslations("connect.chats");
  const params = { path: { id: bot } };
  const again = { refetchInterval: AGAIN_MS, staleTime: 0 };
  const { data, error } = api.useQuery("get", "/api/v1/bots/{id}/chats", { params }, again);
  if (error && !data) return <ErrorState error={error} isInline />;
  return (
    <div aria-live="polite" className="grid gap-2">
      {data?.problem && <bdi className="text-critical text-sm">{data.problem}</bdi>}
      {data && data.items.length > 0 ? (
        <ul aria-label={t("found")} className="grid gap-1.5">
          {data.items.map((chat) => (
            <li key={`${chat.id} ${chat.topic}`}>
              <ChatButton chat={chat} onChoose={onChoose} />
            </li>
          ))}
        </ul>
      ) : (
        <p className="flex items-center gap-2 text-muted text-sm">
          <LoaderCircle className="size-4 animate-spin" aria-hidden />
          {t("looking")}
        </p>
      )}
    </div>
  );
}

function ChatButton({ chat, onChoose }: { chat: Chat; onChoose: (chat: Chat) => void }) {
  const t = useTranslations("connect.chats");
  const kind = KINDS.find((each) => each === chat.kind) ?? "group";
  const Icon = chat.topic ? Hash : kind === "private" ? User : Users;
  return (
    <button
      type="button"
      onClick={() => onChoose(chat)}
      className="flex w-full flex-wrap items-center gap-x-3 gap-y-1 rounded-md border bg-surface px-3 py-2 text-start hover:border-line-strong"
    >
      <Icon className="size-4 shrink-0 text-accent" aria-hidden />
      <bdi className="font-medium">{chat.title || t("noName")}</bdi>
      {chat.topic && <span>{t.rich("topic", { name: chat.topic_name ?? String(chat.topic) })}</span>}
      <span className="text-muted text-sm">{t(`kinds.${kind}`)}</span>
      <bdi className="ms-auto font-mono text-muted text-sm">{chat.id}</bdi>
    </button>
  );
}
