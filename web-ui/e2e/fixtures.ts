// What every journey begins with: `import { expect, test } from "./fixtures"`.
import { test as base } from "@playwright/test";
import { OWNER, Server, WITH_OWNER } from "./server";
import { Watch } from "./watch";

export { expect } from "@playwright/test";
export { expectAccessible } from "./accessible";
export { OWNER } from "./server";

interface Each {
  /** Collects what must never happen; checked after every journey by itself. */
  watch: Watch;
  /** Signs the owner in, and opens a path: `await signIn("/en/alerts/")`. */
  signIn: (path?: string) => Promise<void>;
}

interface Shared {
  /** A running server with an owner. Shared by the journeys of a worker: make your own things, count only those. */
  server: Server;
}

/** Serves for as long as a worker runs. A file that extends `test` by it once more gets a server of its own. */
// biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names of what a fixture needs
export async function serving({}: object, use: (server: Server) => Promise<void>): Promise<void> {
  const server = await Server.start(WITH_OWNER);
  await use(server);
  await server.stop();
}

export const test = base.extend<Each, Shared>({
  server: [serving, { scope: "worker" }],
  baseURL: async ({ server }, use) => use(server.url),
  watch: [
    async ({ page, server }, use) => {
      const watch = new Watch(page, server.url);
      await use(watch);
      watch.verify();
    },
    { auto: true },
  ],
  signIn: async ({ page }, use) => {
    await use(async (path = "/en/") => {
      // The session's cookie is all that the page needs.
      const answer = await page.request.post("/api/v1/auth/login", { data: OWNER });
      if (!answer.ok()) throw new Error(`signing in: ${answer.status()} ${await answer.text()}`);
      await page.goto(path);
    });
  },
});
