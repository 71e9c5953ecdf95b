"use client";

import { useQueryClient } from "@tanstack/react-query";
import { UserPlus } from "lucide-react";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button";
import { EmptyState } from "@/components/ui/empty-state";
import { ErrorState } from "@/components/ui/error-state";
import { SkeletonRows } from "@/components/ui/skeleton";
import { api } from "@/lib/api/client";
import { useSession } from "@/lib/session";
import { PersonRow } from "./person-row";

const USERS = "/api/v1/users";

/** The users of the tenant. */
export function PeoplePanel({ onInvite }: { onInvite: () => void }) {
  const t = useTranslations("team");
  const cache = useQueryClient();
  const me = useSession().data;
  const { data, error, refetch } = api.useQuery("get", USERS);
  const changed = () => cache.invalidateQueries({ queryKey: ["get", USERS] });
  if (error) return <ErrorState error={error} onRetry={refetch} />;
  if (!data || !me) return <SkeletonRows count={3} />;
  const invite = (
    <Button variant="primary" onClick={onInvite}>
      <UserPlus aria-hidden />
      {t("invite")}
    </Button>
  );
  return (
    <div className="grid gap-4">
      <ul className="divide-y divide-line rounded-lg border bg-surface">
        {data.items.map((user) => (
          <PersonRow
            key={user.id}
            user={user}
            isMe={user.id === me.user.id}
            mayChange={user.id !== me.user.id && (me.platform_admin || !user.platform_admin)}
            onChanged={changed}
          />
        ))}
      </ul>
      {data.items.length < 2 ? (
        <EmptyState icon={UserPlus} title={t("empty.title")} action={invite}>
          {t("empty.text")}
        </EmptyState>
      ) : (
        <div>{invite}</div>
      )}
    </div>
  );
}
