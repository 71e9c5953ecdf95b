"use client";

import { useQueryClient } from "@tanstack/react-query";
import { api } from "./api/client";
import { chooseTenant } from "./tenant";

/** Who is signed in, in which tenant, and what the role allows. */
export function useSession() {
  const query = api.useQuery("get", "/api/v1/me", {}, { staleTime: 60_000 });
  const role = query.data?.user.role;
  return { ...query, mayEdit: role === "owner" || role === "editor", isOwner: role === "owner" };
}

/** The tenants that one can act for: those of the installation for platform admins, else none. */
export function useTenants() {
  return useSession().data?.tenants ?? [];
}

/** Ends the session and forgets everything that was seen in it. */
export function useSignOut(): () => Promise<void> {
  const cache = useQueryClient();
  const logout = api.useMutation("post", "/api/v1/auth/logout");
  return async () => {
    await logout.mutateAsync({});
    chooseTenant(undefined);
    cache.clear();
  };
}
