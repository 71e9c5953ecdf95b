import { PLACES } from "../src/components/shell/navigation";
import words from "../src/messages/en/shell.json" with { type: "json" };
import { expect, test } from "./fixtures";

test("the palette reaches every place by keyboard", async ({ page, signIn }) => {
  test.slow();
  await signIn("/en/account/");
  for (const place of PLACES) {
    // A control that is not there yet cannot be pressed.
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    await page.keyboard.press("ControlOrMeta+k");
    const field = page.getByRole("combobox", { name: words.palette.open });
    await field.fill(words.nav[place.id]);
    await field.press("Enter");
    await expect(page).toHaveURL(new RegExp(`/en${place.href}(\\?|$)`));
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  }
  await page.keyboard.press("ControlOrMeta+k");
  await page.getByRole("combobox", { name: words.palette.open }).fill("no such place");
  await expect(page.getByText(words.palette.nothing)).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toBeHidden();
});
