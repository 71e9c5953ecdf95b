"use client";

import { useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { useTranslations } from "use-intl";
import { toast } from "@/components/ui/toast";
import { client } from "@/lib/api/client";
import type { Alert } from "./filter";

type Verb = "acknowledge" | "resolve" | "unacknowledge";

/** The most that one request acknowledges. */
const BATCH = 500;

/** Many alerts on their way to another status. */
export interface Bulk {
  verb: "acknowledge" | "resolve";
  done: number;
  total: number;
}

/** What can be done with alerts. Every one can be taken back for as long as its notice is shown. */
export function useActions(accept: (changed: Alert[]) => void) {
  const t = useTranslations("alerts.done");
  const cache = useQueryClient();
  const [bulk, setBulk] = useState<Bulk>();
  const stopped = useRef(false);

  const refresh = () => {
    for (const path of ["/api/v1/facets", "/api/v1/alerts/{id}"]) {
      void cache.invalidateQueries({ queryKey: ["get", path] });
    }
  };

  const post = async (verb: Verb, id: string) => {
    const path = `/api/v1/alerts/{id}/${verb}` as const;
    const { data } = await client.POST(path, { params: { path: { id } }, body: {} });
    if (data) accept([data]);
  };

  const one = async (verb: Verb, alert: Alert) => {
    try {
      await post(verb, alert.id);
      refresh();
      const undo = verb !== "unacknowledge" && { label: t("undo"), onClick: () => void one("unacknowledge", alert) };
      toast(t(verb, { count: 1 }), undo ? { action: undo } : undefined);
    } catch (error) {
      toast.error(t("failed"), { description: error instanceof Error ? error.message : undefined });
    }
  };

  /** Acknowledges in batches, resolves one after the other; it can be stopped in between. */
  const many = async (verb: Bulk["verb"], ids: string[]) => {
    stopped.current = false;
    const size = verb === "acknowledge" ? BATCH : 1;
    let done = 0;
    setBulk({ verb, done, total: ids.length });
    try {
      for (; done < ids.length && !stopped.current; done = Math.min(done + size, ids.length)) {
        setBulk({ verb, done, total: ids.length });
        const batch = ids.slice(done, done + size);
        if (verb === "acknowledge")
          await client.POST("/api/v1/alerts/acknowledge", { body: { ids: batch, comment: "" } });
        else for (const id of batch) await post(verb, id);
      }
      toast(t(verb, { count: done }));
    } catch (error) {
      toast.error(t("failed"), { description: error instanceof Error ? error.message : undefined });
    } finally {
      setBulk(undefined);
      if (verb === "acknowledge") void cache.invalidateQueries({ queryKey: ["get", "/api/v1/alerts"] });
      refresh();
    }
  };

  const stop = () => {
    stopped.current = true;
  };
  return { one, many, bulk, stop };
}
