"use client";

import { useQueryClient } from "@tanstack/react-query";
import { useTranslations } from "use-intl";
import { BackLink } from "@/components/connect/back-link";
import { Fact, Facts } from "@/components/connect/facts";
import { Load } from "@/components/connect/load";
import { useFieldWords } from "@/components/connect/platform-fields";
import { ProvisionedBadge, ProvisionedNote } from "@/components/connect/provisioned";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Confirm } from "@/components/ui/confirm";
import { Link } from "@/components/ui/link";
import { Page } from "@/components/ui/page";
import { toast } from "@/components/ui/toast";
import { api } from "@/lib/api/client";
import { useSession } from "@/lib/session";
import { useGo } from "@/lib/use-go";
import { type Bot, lastOf } from "./bot";
import { BotForm } from "./bot-form";
import { EnabledSwitch } from "./bot-table";

/** One bot: its credentials as far as they are shown, and the channels that send with it. */
export function BotDetails({ id }: { id: number }) {
  const t = useTranslations("bots");
  const { mayEdit } = useSession();
  const query = api.useQuery("get", "/api/v1/bots/{id}", { params: { path: { id } } });
  const bot = query.data;
  const actions = bot && (
    <div className="flex items-center gap-3">
      {bot.provisioned && <ProvisionedBadge />}
      <span className="flex items-center gap-2 text-muted">
        {mayEdit && !bot.provisioned && t("enabled")}
        <EnabledSwitch bot={bot} />
      </span>
    </div>
  );
  return (
    <>
      <BackLink href="/bots/">{t("title")}</BackLink>
      <Page title={<bdi>{bot?.name ?? t("title")}</bdi>} description={t("one")} actions={actions}>
        <Load query={query} rows={5}>
          {(loaded) => (
            <div className="grid items-start gap-5 lg:grid-cols-[minmax(0,1fr)_minmax(0,24rem)]">
              {mayEdit && !loaded.provisioned ? <BotForm bot={loaded} /> : <ReadOnly bot={loaded} />}
              <UseCard bot={loaded} mayDelete={mayEdit && !loaded.provisioned} />
            </div>
          )}
        </Load>
      </Page>
    </>
  );
}

function ReadOnly({ bot }: { bot: Bot }) {
  const t = useTranslations("bots");
  const wordsOf = useFieldWords();
  const platforms = api.useQuery("get", "/api/v1/platforms", {}, { staleTime: Number.POSITIVE_INFINITY });
  const platform = platforms.data?.items.find(({ id }) => id === bot.platform);
  const shown = (name: string, isSecret: boolean) => {
    if (!isSecret) return bot[name] ? String(bot[name]) : undefined;
    const last = lastOf(bot, name);
    return last === undefined ? undefined : `••••••••${last}`;
  };
  return (
    <Card title={t("form.what")}>
      {bot.provisioned && <ProvisionedNote />}
      <Facts>
        <Fact label={t("platform")}>{platform?.title ?? bot.platform}</Fact>
        {bot.description && (
          <Fact label={t("form.description")}>
            <bdi>{bot.description}</bdi>
          </Fact>
        )}
        {platform?.bot
          .filter((field) => shown(field.name, field.secret))
          .map((field) => (
            <Fact key={field.name} label={wordsOf(platform.id, field)}>
              <bdi className={field.secret ? "font-mono" : undefined}>{shown(field.name, field.secret)}</bdi>
            </Fact>
          ))}
      </Facts>
    </Card>
  );
}

/** Which channels send with the bot; while there are any, it cannot be deleted. */
function UseCard({ bot, mayDelete }: { bot: Bot; mayDelete: boolean }) {
  const t = useTranslations("bots");
  const go = useGo();
  const cache = useQueryClient();
  const channels = api.useQuery("get", "/api/v1/channels");
  const using = channels.data?.items.filter((channel) => channel.bot_id === bot.id) ?? [];
  const remove = api.useMutation("delete", "/api/v1/bots/{id}");
  const confirm = async () => {
    await remove.mutateAsync({ params: { path: { id: bot.id } } });
    await cache.invalidateQueries({ queryKey: ["get", "/api/v1/bots"] });
    toast(t("remove.done", { name: bot.name }));
    go("/bots/");
  };
  return (
    <Card title={t("use.title")}>
      {using.length > 0 ? (
        <ul className="mb-3 grid gap-1.5">
          {using.map((channel) => (
            <li key={channel.id}>
              <Link href={`/channels/?id=${channel.id}`} className="font-medium text-accent hover:underline">
                <bdi>{channel.name}</bdi>
              </Link>
            </li>
          ))}
        </ul>
      ) : (
        <p className="mb-3 text-muted">{t("use.none")}</p>
      )}
      {mayDelete && using.length > 0 && <p className="text-muted">{t("use.inUse")}</p>}
      {mayDelete && using.length === 0 && (
        <Confirm
          trigger={<Button variant="danger">{t("remove.action")}</Button>}
          title={t("remove.question", { name: bot.name })}
          action={t("remove.action")}
          onConfirm={confirm}
        >
          {t("remove.what")}
        </Confirm>
      )}
    </Card>
  );
}
