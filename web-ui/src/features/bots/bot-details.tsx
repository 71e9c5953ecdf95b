"use client";

import { useTranslations } from "use-intl";
import { DeleteThing } from "@/components/connect/delete-thing";
import { Fact, Facts } from "@/components/connect/facts";
import { useFieldWords } from "@/components/connect/platform-fields";
import { Thing } from "@/components/connect/things";
import { usePlatforms } from "@/components/connect/use-platforms";
import { Card } from "@/components/ui/card";
import { ErrorState } from "@/components/ui/error-state";
import { Link } from "@/components/ui/link";
import { ProvisionedNote } from "@/components/ui/provisioned";
import { Skeleton } from "@/components/ui/skeleton";
import { api } from "@/lib/api/client";
import { useSession } from "@/lib/session";
import { type Bot, lastOf } from "./bot";
import { BotForm } from "./bot-form";
import { BotSwitch } from "./bot-table";

/** One bot: its credentials as far as they are shown, and the channels that send with it. */
export function BotDetails({ id }: { id: number }) {
  const t = useTranslations("bots");
  const { mayEdit } = useSession();
  const query = api.useQuery("get", "/api/v1/bots/{id}", { params: { path: { id } } });
  return (
    <Thing
      href="/bots/"
      title={t("title")}
      description={t("one")}
      query={query}
      nameOf={({ name }) => name}
      actions={(bot) => <BotSwitch bot={bot} hasCaption />}
    >
      {(bot) => (
        <div className="grid items-start gap-5 lg:grid-cols-[minmax(0,1fr)_minmax(0,24rem)]">
          {mayEdit && !bot.provisioned ? <BotForm bot={bot} /> : <ReadOnly bot={bot} />}
          <UseCard bot={bot} mayDelete={mayEdit && !bot.provisioned} />
        </div>
      )}
    </Thing>
  );
}

function ReadOnly({ bot }: { bot: Bot }) {
  const t = useTranslations("bots");
  const wordsOf = useFieldWords();
  const platforms = usePlatforms();
  const platform = platforms.data?.items.find(({ id }) => id === bot.platform);
  const shown = (name: string, isSecret: boolean) => {
    if (!isSecret) return bot[name] ? String(bot[name]) : undefined;
    const last = lastOf(bot, name);
    return last === undefined ? undefined : `••••••••${last}`;
  };
  return (
    <Card title={t("form.what")} className="grid gap-4">
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
  const channels = api.useQuery("get", "/api/v1/channels");
  const using = channels.data?.items.filter((channel) => channel.bot_id === bot.id);
  const remove = api.useMutation("delete", "/api/v1/bots/{id}");
  if (!using) {
    return (
      <Card title={t("use.title")}>
        {channels.error ? (
          <ErrorState error={channels.error} isInline onRetry={() => void channels.refetch()} />
        ) : (
          <Skeleton className="w-2/3" />
        )}
      </Card>
    );
  }
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
        <DeleteThing
          action={t("remove.action")}
          question={t("remove.question", { name: bot.name })}
          done={t("remove.done", { name: bot.name })}
          path="/api/v1/bots"
          back="/bots/"
          onDelete={() => remove.mutateAsync({ params: { path: { id: bot.id } } })}
        >
          {t("remove.what")}
        </DeleteThing>
      )}
    </Card>
  );
}
