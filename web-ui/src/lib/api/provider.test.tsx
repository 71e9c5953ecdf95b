import { onlineManager, QueryClientProvider } from "@tanstack/react-query";
import { renderHook, waitFor } from "@testing-library/react";
import type { ReactNode } from "react";
import { afterEach, expect, test, vi } from "vitest";
import { api } from "./client";
import { createCache } from "./provider";

afterEach(() => {
  window.dispatchEvent(new Event("online"));
  vi.unstubAllGlobals();
});

function withCache() {
  const cache = createCache();
  return ({ children }: { children: ReactNode }) => (
    <QueryClientProvider client={cache}>{children}</QueryClientProvider>
  );
}

test("a browser that believes to be offline asks the server all the same", async () => {
  const fetched = vi.fn(async () => Response.json({ items: [] }));
  vi.stubGlobal("fetch", fetched);
  const unsubscribe = onlineManager.subscribe(() => {});
  window.dispatchEvent(new Event("offline"));
  expect(onlineManager.isOnline()).toBe(false);
  const init = { fetch: globalThis.fetch };
  const { result } = renderHook(() => api.useQuery("get", "/api/v1/channels", init), { wrapper: withCache() });
  await waitFor(() => expect(result.current.data).toEqual({ items: [] }));
  const remove = renderHook(() => api.useMutation("delete", "/api/v1/samples"), { wrapper: withCache() });
  fetched.mockResolvedValue(Response.json({ removed: 8 }));
  await remove.result.current.mutateAsync(init);
  expect(fetched).toHaveBeenCalledTimes(2);
  unsubscribe();
});
