import { expect, OWNER, test } from "./fixtures";

test("a session elsewhere is seen and ended, and a wrong password is said at its field", async ({
  page,
  playwright,
  server,
  signIn,
}) => {
  const elsewhere = await playwright.request.newContext({ baseURL: server.url, userAgent: "elsewhere/1.0" });
  await elsewhere.post("/api/v1/auth/login", { data: OWNER });
  await signIn("/en/account/");
  const row = page.getByRole("listitem").filter({ hasText: "elsewhere/1.0" });
  await row.getByRole("button", { name: /^End the session/ }).click();
  await expect(row).toHaveCount(0);
  expect((await elsewhere.get("/api/v1/me")).status()).toBe(401);
  await elsewhere.dispose();

  await page.getByLabel("Present password", { exact: true }).fill("not my password");
  await page.getByLabel("New password", { exact: true }).fill("another long sentence");
  await page.getByRole("button", { name: "Change password" }).click();
  await expect(page.getByText("This is not your present password.")).toBeVisible();
  await expect(page.getByLabel("New password", { exact: true })).toHaveValue("another long sentence");
});
