import { expect, expectAccessible, test } from "./fixtures";

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
  await page.getByRole("alertdialog").getByRole("button", { name: "Remove the mute" }).click();
  await expect(row).toBeHidden();

  await page.goto("/en/audit/?kind=mute");
  await expect(page.getByRole("button", { name: /^Deleted · Mute newsletter/ })).toBeVisible();
  await page.getByRole("button", { name: /^Changed · Mute newsletter/ }).click();
  await expect(page.locator("del")).toContainText("news@*");
  await expect(page.locator("ins")).toContainText("news@example.*");
  await page.getByRole("combobox", { name: "What to show" }).click();
  await page.getByRole("option", { name: "Everything" }).click();
  await expect(page).toHaveURL(/\/audit\/$/);
});

test("mutes and audit log are accessible", async ({ page, signIn }) => {
  test.slow();
  await signIn("/en/mutes/");
  const me = await (await page.request.get("/api/v1/me")).json();
  await page.request.post("/api/v1/mutes", {
    data: { from: "axe@*", comment: "for axe" },
    headers: { "X-CSRF-Token": me.csrf_token },
  });
  await expectAccessible(page, "/mutes/", async () => expect(page.getByText("for axe")).toBeVisible());
  await expectAccessible(page, "/mutes/?new=1&from=x@*", async () => {
    await expect(page.getByRole("dialog").locator("[name=from]")).toHaveValue("x@*");
  });
  await expectAccessible(page, "/audit/", async () => {
    await page
      .getByRole("button", { name: /for axe/ })
      .first()
      .click();
    await expect(page.locator("ins").first()).toBeVisible();
  });
});
