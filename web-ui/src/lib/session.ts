"use client";

import { useQueryClient } from "@tanstack/react-query";
import { api } from "./api/client";

/** Who is signed in, in which tenant, and what the role allows. */
export function useSession() {
  const query = api.useQuery("get", "/api/v1/me", {}, { staleTime: 60_000 });
  const role = query.data?.user.role;
  return { ...query, mayEdit: role === "owner" || role === "editor", isOwner: role === "owner" };
}

/** Ends the session and forgets everything that was seen in it. */
export function useSignOut(): () => Promise<void> {
  const cache = useQueryClient();
  const logout = api.useMutation("post", "/api/v1/auth/logout");
  return async () => {
    await logout.mutateAsync({});
    cache.clear();
  };
}
