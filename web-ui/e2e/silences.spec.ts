import { confirm } from "./confirm";
import { expect, test } from "./fixtures";
import { Sender } from "./sender";

test("a silence shows what it would hit before it is made, holds back, and is ended", async ({ page, signIn }) => {
  await signIn("/en/silences/");
  const sender = await Sender.to(page.request, "silence-me");
  await sender.send({ title: "silence me fan", severity: "warning" });
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

  await sender.send({ title: "silence me fan", severity: "warning" });
  await page.goto("/en/alerts/?q=silence+me+fan");
  await expect(page.getByRole("button", { name: /^Silenced/ })).toContainText("1");
  await page.goto("/en/silences/");
  await expect(row.getByText(/1 event kept back/)).toBeVisible();
  await expect(row.getByRole("img", { name: /at most 1 in one bar$/ })).toBeVisible();
  await row.getByRole("button", { name: "End this silence" }).click();
  await confirm(page, "End this silence");
  await expect(row).toBeHidden();
});

test("a link brings conditions into the form", async ({ page, signIn }) => {
  await signIn("/en/silences/?new=1&system=db-7");
  await expect(page.getByRole("dialog").getByLabel("System")).toHaveValue("db-7");
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toBeHidden();
  await expect(page).toHaveURL(/\/silences\/$/);
});
