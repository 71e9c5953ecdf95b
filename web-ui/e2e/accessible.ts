import { AxeBuilder } from "@axe-core/playwright";
import { expect, type Page } from "@playwright/test";

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
/** Of all rules, those that the theme can break. */
const COLOUR_RULES = ["color-contrast", "link-in-text-block"];

/** Lets axe look at the page as it is, in both themes. */
export async function expectAccessible(page: Page, name: string): Promise<void> {
  await inTheme(page, "light");
  await expectNothing(name, new AxeBuilder({ page }).withTags(RULES));
  await inTheme(page, "dark");
  await expectNothing(`${name}, dark`, new AxeBuilder({ page }).withRules(COLOUR_RULES));
}

/** Changes the theme as another tab would. */
async function inTheme(page: Page, theme: "light" | "dark"): Promise<void> {
  await page.evaluate((chosen) => {
    localStorage.setItem("watchbell-theme", chosen);
    window.dispatchEvent(new Event("storage"));
  }, theme);
  await expect(page.locator("html")).toHaveAttribute("data-theme", theme);
  // A colour that is on its way to another is neither.
  await page.evaluate(async () => {
    const passing = document.getAnimations().filter(({ effect }) => effect?.getComputedTiming().endTime !== Infinity);
    await Promise.allSettled(passing.map(({ finished }) => finished));
  });
}

async function expectNothing(name: string, axe: AxeBuilder): Promise<void> {
  const { violations } = await axe.analyze();
  const found = violations.map(({ id, help, nodes }) => ({ id, help, where: nodes.map((node) => node.html) }));
  expect(found, name).toEqual([]);
}
