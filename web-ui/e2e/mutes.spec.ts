import { confirm } from "./confirm";
import { expect, test } from "./fixtures";

test("a mute is made, changed and removed, and the audit log tells all three", async ({ page, signIn }) => {
  await signIn("/en/mutes/");
  await page.getByRole("button", { name: "New mute" }).click();
  const drawer = page.getByRole("dialog");
  await drawer.getByRole("button", { name: "Mute", exact: true }).click();
  await expect(drawer.getByText("Name a sender or a source, or it would mute everything.")).toBeVisible();
  await drawer.getByLabel("Sender").fill("news@*");
  await expect(drawer.getByText(/of the newest|Nothing yet to try it on/)).toBeVisible();
  await drawer.getByLabel("Why").fill("newsletter");
  await drawer.getByRole("button", { name: "Mute", exact: true }).click();
  await expect(drawer).toBeHidden();
  const row = page.getByRole("listitem").filter({ hasText: "newsletter" });
  await expect(row.getByText("news@*")).toBeVisible();

  await row.getByRole("button", { name: "Edit this mute" }).click();
  await drawer.getByLabel("Sender").fill("news@example.*");
  await drawer.getByRole("button", { name: "Save" }).click();
  await expect(row.getByText("news@example.*")).toBeVisible();
  await row.getByRole("button", { name: "Remove the mute" }).click();
  await confirm(page, "Remove the mute");
  await expect(row).toBeHidden();

  await page.goto("/en/audit/?kind=mute");
  await expect(page.getByRole("button", { name: /^Deleted · Mute newsletter/ })).toBeVisible();
  await page.getByRole("button", { name: /^Changed · Mute newsletter/ }).click();
  await expect(page.locator("del")).toContainText("news@*");
  await expect(page.locator("ins")).toContainText("news@example.*");
  await page.getByRole("combobox", { name: "Who", exact: true }).click();
  await page.getByRole("option", { name: "owner@example.com" }).click();
  await page.getByRole("combobox", { name: "When" }).click();
  await page.getByRole("option", { name: "Last 7 days" }).click();
  await expect(page).toHaveURL(/kind=mute&user=\d+&span=week/);
  await page.reload();
  await expect(page.getByRole("button", { name: /^Deleted · Mute newsletter/ })).toBeVisible();
  await page.getByRole("combobox", { name: "When" }).click();
  await page.getByRole("option", { name: "Chosen days …" }).click();
  await page.getByLabel("To this day").fill("2020-01-31");
  await expect(page.getByRole("heading", { name: "Nothing matches" })).toBeVisible();
  await page.getByRole("button", { name: "Clear the filters" }).first().click();
  await expect(page).toHaveURL(/\/audit\/$/);
});
