import { confirm } from "./confirm";
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
  await confirm(page, "Disable");
  await expect(row.getByText("Disabled")).toBeVisible();
  await row.getByRole("button", { name: "Enable" }).click();
  await expect(row.getByRole("button", { name: "Disable" })).toBeVisible();
});

test("the API's documentation finds a call and says what it takes and gives", async ({ page, signIn }) => {
  await signIn("/en/docs/");
  await page.getByRole("searchbox").fill("silences preview");
  const call = page.getByRole("group").filter({ hasText: "/api/v1/silences/preview" });
  await expect(page.getByRole("group")).toHaveCount(1);
  await call.getByText("POST").click();
  await expect(call.getByRole("heading", { name: /^Takes:/ })).toBeVisible();
  await expect(call.getByText("severity_at_least").or(call.getByText("match")).first()).toBeVisible();
});
