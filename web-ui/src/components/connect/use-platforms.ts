import { api } from "@/lib/api/client";

/** What the server can send with; it does not change while the server runs. */
export const usePlatforms = () => api.useQuery("get", "/api/v1/platforms", {}, { staleTime: Number.POSITIVE_INFINITY });

/** The name of a platform for people; until the names are known, its id. */
export function usePlatformTitle(): (id: string) => string {
  const { data } = usePlatforms();
  return (id) => data?.items.find((platform) => platform.id === id)?.title ?? id;
}
