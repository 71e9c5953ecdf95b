import { expect, OWNER, test } from "./fixtures";
import { Sender } from "./sender";

test("Persian from the login to an alert that is acknowledged", async ({ page }) => {
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

  const sender = await Sender.to(page.request, "fa-session");
  await sender.send({ title: "دیسک پر است", severity: "critical", host: "fa-1" });
  const row = page.getByRole("list", { name: "هشدارها" }).getByRole("listitem").filter({ hasText: "fa-1" });
  await row.getByRole("button").last().click();
  const drawer = page.getByRole("dialog");
  await expect(drawer.getByRole("heading", { name: "دیسک پر است" })).toBeVisible();
  // From right to left, the drawer stands at the left.
  expect((await drawer.boundingBox())?.x).toBe(0);
  await drawer.getByRole("button", { name: "پذیرفتن" }).click();
  await expect(page.getByText("پذیرفته شد", { exact: true })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(row).toContainText("پذیرفته");
  // Its digits are Persian ones.
  await expect(row.locator("time")).toHaveText(/[۰-۹]|اکنون|لحظه/);
});
