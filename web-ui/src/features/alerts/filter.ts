import type { components } from "@/lib/api/schema";

export type Alert = components["schemas"]["AlertView"];
export type FacetName = "severity" | "status" | "source" | "system" | "category" | "channel" | "rule";

export const FACETS = ["severity", "system", "category", "source", "channel", "rule", "status"] as const;

/** Which alerts are shown. It is the part of the URL after `?`, and what the server is asked. */
export type Filter = Partial<Record<FacetName | "q", string>> & { silenced?: boolean };

export function filterOf(params: URLSearchParams): Filter {
  const filter: Filter = {};
  for (const name of [...FACETS, "q"] as const) {
    const value = params.get(name);
    if (value) filter[name] = value;
  }
  if (params.get("silenced") === "true") filter.silenced = true;
  return filter;
}

/** The chosen values of a facet. */
export function chosenOf(filter: Filter, name: FacetName): string[] {
  return filter[name]?.split(",") ?? [];
}

/** Whether an alert passes, as far as it says itself: not where it went, and not what words it has. */
function passes(alert: Alert, filter: Filter): boolean {
  const isIn = (name: "severity" | "status" | "source" | "system" | "category") =>
    filter[name] === undefined || chosenOf(filter, name).includes(alert[name]);
  return (
    isIn("severity") &&
    isIn("status") &&
    isIn("source") &&
    isIn("system") &&
    isIn("category") &&
    (filter.silenced === undefined || alert.silenced === filter.silenced)
  );
}

/**
 * The list after some alerts changed: those in it are replaced or leave. `missing` says that one is not in it which
 * may belong there, so that the server has to be asked.
 */
export function withChanged(list: Alert[], changed: Alert[], filter: Filter): { list: Alert[]; missing: boolean } {
  const byId = new Map(changed.map((alert) => [alert.id, alert]));
  const after = list.flatMap((alert) => {
    const now = byId.get(alert.id) ?? alert;
    byId.delete(alert.id);
    return now === alert || passes(now, filter) ? [now] : [];
  });
  const missing = [...byId.values()].some((alert) => passes(alert, filter));
  return { list: after, missing };
}

/** Each alert once, in its newest state, last seen first. */
export function inOrder(alerts: Alert[]): Alert[] {
  const byId = new Map<string, Alert>();
  for (const alert of alerts) {
    const other = byId.get(alert.id);
    if (!other || other.last_seen <= alert.last_seen) byId.set(alert.id, alert);
  }
  // Moments are all written in one way, so that their texts have their order.
  const place = ({ last_seen, id }: Alert) => `${last_seen} ${id}`;
  return [...byId.values()].sort((one, other) => (place(one) < place(other) ? 1 : -1));
}
