import { request as send } from "node:http";
import type { Page } from "@playwright/test";
import { expectAccessible } from "./accessible";
import { confirm } from "./confirm";
import { expect, OWNER, test as plain } from "./fixtures";
import { Receiver } from "./receiver";
import { Server } from "./server";

/** A server with a key gateway in front of something that answers. */
const test = plain.extend<object, { server: Server }>({
  server: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names of what a fixture needs
    async ({}, use) => {
      const upstream = await Receiver.start();
      const server = await Server.start({
        WATCHBELL_BOOTSTRAP_ADMIN_EMAIL: OWNER.email,
        WATCHBELL_BOOTSTRAP_ADMIN_PASSWORD: OWNER.password,
        WATCHBELL_GATEWAY_LISTEN: "127.0.0.1:0",
        WATCHBELL_GATEWAY_UPSTREAM: new URL(upstream.url).origin,
      });
      await use(server);
      await server.stop();
      await upstream.stop();
    },
    { scope: "worker" },
  ],
});

/** The status of a request through the gateway with a key from an address of this machine. */
function use(server: Server, key: string, localAddress: string): Promise<number> {
  const gateway = /gateway\s+(http:\/\/\S+)/.exec(server.log)?.[1];
  const headers = { authorization: `Bearer ${key}` };
  return new Promise((resolve, reject) => {
    const request = send(`${gateway}/v1/models`, { localAddress, headers, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    request.on("error", reject);
    request.end();
  });
}

async function reloadUntil(page: Page, words: string): Promise<void> {
  await expect(async () => {
    await page.reload();
    await expect(page.getByText(words).filter({ visible: true }).first()).toBeVisible({ timeout: 5_000 });
  }).toPass();
}

plain("without a gateway, the screen says what one is for and how to begin", async ({ page, signIn }) => {
  await signIn("/en/gateway/");
  await expect(page.getByRole("heading", { name: "No gateway is running" })).toBeVisible();
  await expect(page.getByText("export WATCHBELL_GATEWAY_UPSTREAM")).toBeVisible();
});

test("a stolen key is seen, its binding changed, blocked and removed", async ({ page, signIn, server }) => {
  const key = "sk-0123456789-journey";
  expect(await use(server, key, "127.0.0.2")).toBe(200);
  expect(await use(server, key, "127.0.0.3")).toBe(403);
  await signIn("/en/gateway/");
  const row = page.getByRole("row").filter({ hasText: "sk-012…rney" });
  await expect(row.getByText("127.0.0.2/32").filter({ visible: true })).toBeVisible();

  await page.getByRole("tab", { name: "Interceptions" }).click();
  await reloadUntil(page, "127.0.0.3");
  await expect(page.getByRole("row").filter({ hasText: "GET /v1/models" })).toContainText("Refused");
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Export as CSV" }).click();
  expect((await download).suggestedFilename()).toBe("interceptions.csv");

  await page.getByRole("tab", { name: "Bindings" }).click();
  await row.getByRole("button", { name: "Change where" }).click();
  const drawer = page.getByRole("dialog");
  await drawer.getByLabel("May be used from").click();
  await page.getByRole("option", { name: "Several addresses" }).click();
  await drawer.getByLabel("Addresses").fill("127.0.0.2\nnowhere");
  await drawer.getByRole("button", { name: "Save" }).click();
  await expect(drawer.getByText("`nowhere` is no address and no network")).toBeVisible();
  await drawer.getByLabel("Addresses").fill("127.0.0.2\n127.0.0.3");
  await drawer.getByRole("button", { name: "Save" }).click();
  await expect(row.getByText("127.0.0.3/32").filter({ visible: true })).toBeVisible();
  await expect.poll(() => use(server, key, "127.0.0.3")).toBe(200);

  await row.getByRole("button", { name: "Block" }).click();
  await confirm(page, "Block the key");
  await expect(row.getByText("Blocked").filter({ visible: true })).toBeVisible();
  await expect.poll(() => use(server, key, "127.0.0.2")).toBe(403);
  await row.getByRole("button", { name: "Unbind" }).click();
  await confirm(page, "Unbind the key", "The key is unbound");
  await expect(row).toBeHidden();
  await expect.poll(() => use(server, key, "127.0.0.3")).toBe(200);

  await page.goto("/en/audit/?kind=binding");
  await expect(page.getByRole("button", { name: /^Blocked · Binding/ })).toBeVisible();
});

test("the settings hold while the gateway runs", async ({ page, signIn, server }) => {
  const key = "sk-0123456789-observed";
  expect(await use(server, key, "127.0.0.4")).toBe(200);
  await signIn("/en/gateway/?tab=settings");
  await page.getByLabel("A key from elsewhere").click();
  await page.getByRole("option", { name: "Let pass, log and alert" }).click();
  await page.getByLabel("Interceptions that raise an alert").fill("0");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("must be 1 to 1000000")).toBeVisible();
  await page.getByLabel("Interceptions that raise an alert").fill("50");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("The gateway's settings are changed")).toBeVisible();
  await expect.poll(() => use(server, key, "127.0.0.5")).toBe(200);
  await page.getByLabel("A key from elsewhere").click();
  await page.getByRole("option", { name: "As the settings file says" }).click();
  await page.getByRole("button", { name: "Save" }).click();
  await expect.poll(() => use(server, key, "127.0.0.5")).toBe(403);
});

test("every tab with something on it is accessible in all languages", async ({ page, signIn, server }) => {
  test.slow();
  const key = "sk-0123456789-for-axe";
  expect(await use(server, key, "127.0.0.6")).toBe(200);
  expect(await use(server, key, "127.0.0.7")).toBe(403);
  await signIn("/en/gateway/?tab=interceptions&q=127.0.0.7");
  await reloadUntil(page, "sk-012…-axe");
  const tabs = {
    "": "text=sk-012…-axe",
    "?tab=interceptions": "text=127.0.0.7",
    "?tab=usage": ".recharts-surface",
    "?tab=settings": "[name=archive_days]",
  };
  for (const locale of ["en", "zh", "fa"]) {
    for (const [tab, shown] of Object.entries(tabs)) {
      await page.goto(`/${locale}/gateway/${tab}`);
      await expect(page.locator(shown).filter({ visible: true }).first()).toBeVisible();
      await expectAccessible(page, `the gateway's ${tab} in ${locale}`);
    }
  }
});
