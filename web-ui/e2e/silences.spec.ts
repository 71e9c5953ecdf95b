import type { Page } from "@playwright/test";
import { expect, expectAccessible, test } from "./fixtures";

/** Something that came, for the preview to find. */
async function receive(page: Page, title: string): Promise<void> {
  const me = await (await page.request.get("/api/v1/me")).json();
  const made = await page.request.post("/api/v1/channels", {
    data: { name: title.replaceAll(" ", "-"), platform: "webhook", target: "http://127.0.0.1:9/" },
    headers: { "X-CSRF-Token": me.csrf_token },
  });
  expect(made.ok(), await made.text()).toBe(true);
  const { push_token: token } = await made.json();
  const answer = await page.request.post(`/api/v1/push/${token}`, { data: { title, severity: "warning" } });
  expect(answer.ok(), await answer.text()).toBe(true);
}

test("a silence shows what it would hit before it is made, holds back, and is ended", async ({ page, signIn }) => {
  await signIn("/en/silences/");
  await receive(page, "silence me fan");
  await page.reload();
  await page.getByRole("button", { name: "New silence" }).click();
  const drawer = page.getByRole("dialog");
  await expect(drawer.getByText("This hits everything.", { exact: false })).toBeVisible();
  await drawer.getByLabel("Subject").fill("*nothing like it*");
  await expect(drawer.getByText(/Would have hit 0 of the newest/)).toBeVisible();
  await drawer.getByLabel("Subject").fill("*silence me*");
  await expect(drawer.getByText(/Would have hit 1 of the newest/)).toBeVisible();
  await expect(drawer.getByRole("listitem").filter({ hasText: "silence me fan" })).toBeVisible();

  // What was typed is not lost by a key.
  await page.keyboard.press("Escape");
  await expect(drawer.getByText("Leave without saving?")).toBeVisible();
  await drawer.getByRole("button", { name: "Keep editing" }).click();
  await drawer.getByLabel("Why").fill("fan is replaced");
  await drawer.getByRole("button", { name: "Silence", exact: true }).click();
  await expect(drawer).toBeHidden();

  const row = page.getByRole("listitem").filter({ hasText: "fan is replaced" });
  await expect(row.getByText(/Ends in 4/)).toBeVisible();
  const events = await (await page.request.get("/api/v1/events?q=silence+fan")).json();
  await page.goto(`/en/rules/?test=${events.items[0].id}`);
  await expect(page.getByText("Nowhere: it is silenced")).toBeVisible();

  await page.goto("/en/silences/");
  await row.getByRole("button", { name: "End this silence" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "End this silence" }).click();
  await expect(row).toBeHidden();
});

test("a link brings conditions into the form", async ({ page, signIn }) => {
  await signIn("/en/silences/?new=1&system=db-7");
  await expect(page.getByRole("dialog").getByLabel("System")).toHaveValue("db-7");
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toBeHidden();
  await expect(page).toHaveURL(/\/silences\/$/);
});

test("the silences and their form are accessible", async ({ page, signIn }) => {
  test.slow();
  await signIn("/en/silences/");
  await receive(page, "silence for axe");
  const me = await (await page.request.get("/api/v1/me")).json();
  await page.request.post("/api/v1/silences", {
    data: { match: { system: "db*" }, comment: "axe", expires_at: new Date(Date.now() + 9e6).toISOString() },
    headers: { "X-CSRF-Token": me.csrf_token },
  });
  await expectAccessible(page, "/silences/", async () => expect(page.getByText("axe", { exact: true })).toBeVisible());
  await expectAccessible(page, "/silences/?new=1&subject=*axe*", async () => {
    await expect(page.getByRole("dialog").getByText("silence for axe")).toBeVisible();
  });
});
