import { expect, test } from "./fixtures";

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
