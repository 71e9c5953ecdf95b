import { expect, OWNER, test } from "./fixtures";

test("Persian from the login to the alerts", async ({ page }) => {
  await page.goto("/fa/alerts/");
  await expect(page).toHaveURL(/\/fa\/login\/\?next=/);
  await page.getByLabel("ایمیل").fill(OWNER.email);
  await page.getByLabel("گذرواژه", { exact: true }).fill("نادرست");
  await page.getByRole("button", { name: "ورود" }).click();
  await expect(page.getByText("ایمیل یا گذرواژه نادرست است")).toBeVisible();
  await page.getByLabel("گذرواژه", { exact: true }).fill(OWNER.password);
  await page.getByRole("button", { name: "ورود" }).click();
  await expect(page).toHaveURL(/\/fa\/alerts\/$/);
  await expect(page.locator("html")).toHaveAttribute("dir", "rtl");
  await expect(page.getByRole("heading", { level: 1, name: "هشدارها" })).toBeVisible();
  await expect(page.getByText("زنده", { exact: true })).toBeVisible();
});
