import { expect, OWNER, test } from "./fixtures";
import { Receiver } from "./receiver";
import { Sender } from "./sender";
import { Server } from "./server";

let receiver: Receiver;
test.beforeAll(async () => {
  receiver = await Receiver.start();
});
test.afterAll(() => receiver.stop());

test("an alert is triaged by keyboard, and comes in live", async ({ page, signIn }) => {
  await signIn();
  const sender = await Sender.to(page.request, "triage", receiver.url);
  await sender.send({ title: "Disk almost full", message: "/var is at 91%", severity: "warning", host: "triage1" });
  await page.goto("/en/alerts/?system=triage1,triage2");
  const rows = page.getByRole("list", { name: "Alerts" }).getByRole("listitem");
  await expect(rows).toHaveCount(1);
  await sender.send({
    title: "Database is down",
    message: "no answer for 60 s",
    severity: "critical",
    host: "triage2",
  });
  await expect(rows).toHaveCount(2, { timeout: 3_000 });
  await expect(rows.first()).toContainText("triage2");

  await page.keyboard.press("j");
  await expect(rows.first().getByRole("button").last()).toBeFocused();
  await page.keyboard.press("a");
  await expect(rows.first()).toContainText("Acknowledged");
  await expect(page.getByText("Alert acknowledged")).toBeVisible();

  await page.keyboard.press("Enter");
  const drawer = page.getByRole("dialog");
  await expect(drawer.getByText("no answer for 60 s")).toBeVisible();
  await drawer.getByRole("tab", { name: "Where it went" }).click();
  await expect(drawer.getByText("Delivered").first()).toBeVisible();
  await page.keyboard.press("j");
  await expect(drawer.getByRole("heading", { level: 2 })).toContainText(/disk/i);
  await page.keyboard.press("Escape");
  await expect(drawer).toBeHidden();

  await page.keyboard.press("s");
  const silence = page.getByRole("dialog", { name: "Silence" });
  await expect(silence.getByText(/1 of the newest/)).toBeVisible();
  await silence.getByRole("button", { name: "Silence", exact: true }).click();
  await expect(page.getByText(/Silenced until/)).toBeVisible();

  await page.keyboard.press("/");
  await expect(page.getByRole("searchbox")).toBeFocused();
  await page.keyboard.type("database");
  await expect(rows).toHaveCount(1);
  await expect(page).toHaveURL(/q=database/);
});

test("alerts are acknowledged and resolved together", async ({ page, signIn }) => {
  await signIn();
  const sender = await Sender.to(page.request, "together", receiver.url);
  for (const host of ["bulk1", "bulk2", "bulk3"])
    await sender.send({ title: `Load on ${host}`, severity: "error", host });
  await page.goto("/en/alerts/?system=bulk1,bulk2,bulk3");
  const rows = page.getByRole("list", { name: "Alerts" }).getByRole("listitem");
  await expect(rows).toHaveCount(3);
  for (const row of await rows.all()) await row.getByRole("checkbox").click();
  await page.getByRole("toolbar").getByRole("button", { name: "Acknowledge" }).click();
  await expect(page.getByText("3 alerts acknowledged")).toBeVisible();
  await expect(rows.filter({ hasText: "Acknowledged" })).toHaveCount(3);
  for (const row of await rows.all()) await row.getByRole("checkbox").click();
  await page.getByRole("toolbar").getByRole("button", { name: "Resolve" }).click();
  await page.getByRole("button", { name: "Resolve 3 alerts" }).click();
  await expect(rows.filter({ hasText: "Resolved" })).toHaveCount(3);
});

test("sample alerts are sent through the pipeline and removed again", async ({ browser }) => {
  const server = await Server.start({
    WATCHBELL_BOOTSTRAP_ADMIN_EMAIL: OWNER.email,
    WATCHBELL_BOOTSTRAP_ADMIN_PASSWORD: OWNER.password,
  });
  const context = await browser.newContext({ baseURL: server.url, locale: "en-US" });
  const page = await context.newPage();
  try {
    await page.request.post("/api/v1/auth/login", { data: OWNER });
    await page.goto("/en/alerts/");
    await page.getByRole("button", { name: "Send sample alerts" }).click();
    await expect(page.getByText("switch-3 is down").first()).toBeVisible();
    await expect(page.getByText(/There are sample alerts/)).toBeVisible();
    await page.getByRole("button", { name: "Remove the samples" }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Remove the samples" }).click();
    await expect(page.getByText("8 sample alerts are removed.")).toBeVisible();
    await expect(page.getByRole("heading", { name: "No alerts" })).toBeVisible();
  } finally {
    await context.close();
    await server.stop();
  }
});
