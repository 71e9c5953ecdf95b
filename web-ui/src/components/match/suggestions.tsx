"use client";

import { useId } from "react";
import { api } from "@/lib/api/client";

const MINUTE_MS = 60_000;

/** What senders of the last days were called, to choose from while conditions on `from` and `source` are typed. */
export function useSuggestions() {
  const id = useId();
  const { data } = api.useQuery("get", "/api/v1/senders", {}, { staleTime: MINUTE_MS });
  const senders = data?.items ?? [];
  const lists = {
    from: [...new Set(senders.flatMap(({ from }) => from))],
    source: [...new Set(senders.map(({ source }) => source))],
  };
  const idOf = (name: keyof typeof lists) => `${id}-${name}`;
  return {
    /** The `list` of the input for a condition; most have none. */
    listOf: (name: string) => (name === "from" || name === "source" ? idOf(name) : undefined),
    /** Has to stand somewhere beside the inputs. */
    lists: (
      <>
        {(["from", "source"] as const).map((name) => (
          <datalist key={name} id={idOf(name)}>
            {lists[name].map((value) => (
              <option key={value} value={value} />
            ))}
          </datalist>
        ))}
      </>
    ),
  };
}
