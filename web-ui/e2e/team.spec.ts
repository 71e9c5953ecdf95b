import type { Browser, Page } from "@playwright/test";
import { confirm } from "./confirm";
import { expect, test } from "./fixtures";
import { answering } from "./ready";
import { Watch } from "./watch";

/** What only those may who change things. */
const CHANGES = /^(New|Add|Make|Create|Edit|Change|Delete|Remove|End|Replay|Acknowledge|Resolve|Silence|Move|Save)\b/;
const PASSWORD = "a sentence that is long enough";

/** Makes an invitation on the open team screen and returns its link. */
async function invite(page: Page, role: string): Promise<string> {
  await page.getByRole("tab", { name: "Invitations" }).click();
  await page.getByLabel("Role").click();
  await page.getByRole("option", { name: role, exact: true }).click();
  const made = page.waitForResponse(
    (answer) => answer.url().endsWith("/invites") && answer.request().method() === "POST",
  );
  await page.getByRole("button", { name: "Make link" }).click();
  const { items } = await (await made).json();
  const link = new URL(`/register#${items[0].code}`, page.url()).href;
  await expect(page.getByText(link)).toBeVisible();
  return link;
}

/** Registers somebody in a browser of their own. */
async function register(browser: Browser, url: string, link: string, email: string) {
  const context = await browser.newContext({ baseURL: url, locale: "en-US" });
  const page = await context.newPage();
  const watch = new Watch(page, url);
  await page.goto(link);
  await answering(page);
  await page.getByLabel("Name").fill(email.split("@")[0] ?? "");
  await page.getByLabel("Email").fill(email);
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Join" }).click();
  await expect(page).toHaveURL(/\/en\/$/);
  return { context, page, watch };
}

test("an invited colleague sees only what a viewer may, and is out when removed", async ({
  browser,
  page,
  server,
  signIn,
}) => {
  await signIn("/en/team/");
  const link = await invite(page, "Viewer");
  const colleague = await register(browser, server.url, link, "vera@example.com");
  await colleague.page.goto("/en/team/");
  await expect(colleague.page.getByRole("tab", { name: "API tokens" })).toBeVisible();
  await expect(colleague.page.getByRole("tab", { name: "People" })).toHaveCount(0);
  for (const place of ["alerts", "dead-letters", "rules", "silences", "mutes", "channels", "bots", "templates", "ai"]) {
    await colleague.page.goto(`/en/${place}/`);
    await expect(colleague.page.getByRole("heading", { level: 1 })).toBeVisible();
    await expect(colleague.page.locator("[data-skeleton], [aria-busy=true]")).toHaveCount(0);
    const main = colleague.page.getByRole("main");
    await expect(main.getByRole("button", { name: CHANGES })).toHaveCount(0);
    await expect(main.getByRole("link", { name: CHANGES })).toHaveCount(0);
    await expect(main.getByRole("switch")).toHaveCount(0);
  }
  const refused = await colleague.page.evaluate(async () => {
    const { csrf_token } = await (await fetch("/api/v1/me")).json();
    const headers = { "content-type": "application/json", "X-CSRF-Token": csrf_token };
    const body = JSON.stringify({ from: "everyone@*" });
    return (await fetch("/api/v1/mutes", { method: "POST", headers, body })).status;
  });
  expect(refused).toBe(403);
  await colleague.page.goto("/en/welcome/?step=channel");
  await expect(colleague.page.getByText("Editors and owners add channels.")).toBeVisible();
  await expect(colleague.page.getByRole("button", { name: "Add channel" })).toHaveCount(0);

  await page.getByRole("tab", { name: "People" }).click();
  const row = page.getByRole("listitem", { name: "vera" });
  await row.getByLabel("Role of vera").click();
  await page.getByRole("option", { name: "Editor" }).click();
  await expect(page.getByText("vera is now: Editor")).toBeVisible();

  await row.getByRole("button", { name: "Reset link" }).click();
  await confirm(page, "Make link");
  const reset = (await page.getByRole("dialog").locator("code").textContent()) ?? "";
  await page.getByRole("button", { name: "Close" }).click();
  await colleague.page.goto(reset);
  await colleague.page.getByLabel("New password", { exact: true }).fill(`${PASSWORD} and new`);
  await colleague.page.getByRole("button", { name: "Save password" }).click();
  await expect(colleague.page.getByRole("heading", { name: "The password is changed" })).toBeVisible();
  await colleague.page.getByRole("link", { name: "Go to sign in" }).click();
  await colleague.page.getByLabel("Email").fill("vera@example.com");
  await colleague.page.getByLabel("Password", { exact: true }).fill(`${PASSWORD} and new`);
  await colleague.page.getByRole("button", { name: "Sign in" }).click();
  await expect(colleague.page).toHaveURL(/\/en\/$/);

  await row.getByRole("button", { name: "Remove" }).click();
  await confirm(page, "Remove");
  await expect(row).toHaveCount(0);
  await colleague.page.goto("/en/account/");
  await expect(colleague.page).toHaveURL(/\/en\/login\//);
  colleague.watch.verify();
  await colleague.context.close();
});

test("another tenant sees nothing, and a platform admin looks at it tab by tab", async ({
  browser,
  page,
  server,
  signIn,
}) => {
  await signIn("/en/team/");
  await page.request.get("/api/v1/me");
  const link = await invite(page, "A new tenant");
  const other = await register(browser, server.url, link, "otto@elsewhere.example");
  await other.page.goto("/en/team/");
  await expect(other.page.getByRole("listitem", { name: "otto" })).toBeVisible();
  await expect(other.page.getByText("owner@example.com")).toHaveCount(0);
  const theirs = await other.page.evaluate(async () => {
    const paths = ["alerts", "events", "channels", "rules", "deliveries", "invites", "tokens"];
    const counts = paths.map(async (path) => (await (await fetch(`/api/v1/${path}`)).json()).items.length);
    return Promise.all(counts);
  });
  expect(theirs).toEqual([0, 0, 0, 0, 0, 0, 0]);
  const tenant = await other.page.evaluate(async () => (await (await fetch("/api/v1/me")).json()).tenant_name);

  await page.goto("/en/team/");
  await page.getByRole("button", { name: /Tenant: default/ }).click();
  await page.getByRole("menuitemradio", { name: tenant, exact: true }).click();
  await expect(page.getByRole("button", { name: new RegExp(`Tenant: ${tenant}`) })).toBeVisible();
  await expect(page.getByText("Live", { exact: true })).toBeVisible();
  await page.goto("/en/team/");
  await expect(page.getByRole("listitem", { name: "otto" })).toBeVisible();
  const second = await page.context().newPage();
  await second.goto("/en/team/");
  await expect(second.getByText("owner@example.com").first()).toBeVisible();
  await expect(second.getByRole("listitem", { name: "otto" })).toHaveCount(0);
  other.watch.verify();
  await other.context.close();
});

test("an API token is shown once, works, and is refused when revoked", async ({ page, playwright, server, signIn }) => {
  await signIn("/en/team/?tab=tokens");
  await page.getByRole("button", { name: "New API token" }).click();
  await page.getByLabel("Name").fill("nightly script");
  await page.getByRole("dialog").getByRole("button", { name: "New API token" }).click();
  const token = (await page.getByRole("dialog").locator("code").textContent()) ?? "";
  await page.getByRole("button", { name: "Close" }).click();
  await expect(page.getByText(token)).toHaveCount(0);
  const script = await playwright.request.newContext({
    baseURL: server.url,
    extraHTTPHeaders: { Authorization: `Bearer ${token}` },
  });
  expect((await script.get("/api/v1/me")).status()).toBe(200);
  const row = page.getByRole("listitem").filter({ hasText: "nightly script" });
  await row.getByRole("button", { name: "Revoke" }).click();
  await confirm(page, "Revoke");
  await expect(row).toHaveCount(0);
  expect((await script.get("/api/v1/me")).status()).toBe(401);
  await script.dispose();
});
