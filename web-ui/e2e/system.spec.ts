import { expect, expectAccessible, test } from "./fixtures";

test("the system names its services, its queues and where the API is described", async ({ page, signIn }) => {
  await signIn("/en/system/");
  await expect(page.getByRole("row", { name: /watchbell.*Up/ })).toBeVisible();
  await expect(page.getByRole("row", { name: /Delivery/ })).toBeVisible();
  const document = await page.request.get(
    (await page.getByRole("link", { name: "OpenAPI document" }).getAttribute("href")) ?? "",
  );
  expect(document.status()).toBe(200);
});

test("a platform admin makes, disables and enables a tenant", async ({ page, signIn }) => {
  await signIn("/en/system/");
  await page.getByLabel("New tenant").fill("branch-office");
  await page.getByRole("button", { name: "Make tenant" }).click();
  const row = page.getByRole("listitem").filter({ hasText: "branch-office" });
  await row.getByRole("button", { name: "Disable" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Disable" }).click();
  await expect(row.getByText("Disabled")).toBeVisible();
  await row.getByRole("button", { name: "Enable" }).click();
  await expect(row.getByRole("button", { name: "Disable" })).toBeVisible();
});

test("system and gateway are accessible in both themes and all languages", async ({ page, signIn }) => {
  await signIn();
  await expectAccessible(page, "/system/", async () => {
    await expect(page.locator("table")).toHaveCount(2);
  });
  await expectAccessible(page, "/gateway/", async () => expect(page.getByRole("heading", { level: 1 })).toBeVisible());
});
