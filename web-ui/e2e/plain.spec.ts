import { expect, test } from "./fixtures";
import { answering } from "./ready";

test("the root leads to the language of the browser, the menu to another, and the choice is remembered", async ({
  browser,
  server,
}) => {
  const context = await browser.newContext({ baseURL: server.url, locale: "fa-IR" });
  const page = await context.newPage();
  await page.goto("/login/");
  await expect(page).toHaveURL(/\/fa\/login\/$/);
  await expect(page.locator("html")).toHaveAttribute("dir", "rtl");
  await answering(page);
  await page.getByRole("button", { name: "زبان" }).click();
  await page.getByRole("menuitemradio", { name: "English" }).click();
  await expect(page.getByRole("heading", { name: "Sign in" })).toBeVisible();
  await page.goto("/login/");
  await expect(page).toHaveURL(/\/en\/login\/$/);
  await context.close();
});

test("an unknown address says so and leads back", async ({ page }) => {
  const answer = await page.goto("/en/nothing-here/");
  expect(answer?.status()).toBe(404);
  await expect(page.getByRole("heading", { name: "There is nothing at this address" })).toBeVisible();
  await expect(page.getByRole("link", { name: "Go to the overview" })).toBeVisible();
});

test("the documentation of the API that needs no sign-in is complete", async ({ page }) => {
  await page.goto("/docs/");
  await expect(page.getByText("/api/v1/overview", { exact: true })).toBeVisible();
});

test("signing in names what is missing, by keyboard alone", async ({ page }) => {
  await page.goto("/en/login/");
  await expect(page.getByLabel("Email")).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.getByText("Enter your email.")).toBeVisible();
  await expect(page.getByLabel("Email")).toHaveAttribute("aria-invalid", "true");
});
