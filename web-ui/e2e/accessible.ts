import { AxeBuilder } from "@axe-core/playwright";
import { expect, type Page } from "@playwright/test";

const THEMES = ["light", "dark"] as const;
const LOCALES = ["en", "zh", "fa"] as const;
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/**
 * Opens a screen in both themes and all languages and lets axe look at each. `path` has no language: `/alerts/`.
 * `ready` waits for what makes the screen complete.
 */
export async function expectAccessible(page: Page, path: string, ready: () => Promise<void>): Promise<void> {
  for (const locale of LOCALES) {
    await page.goto(`/${locale}${path}`);
    for (const theme of THEMES) {
      await page.evaluate((chosen) => localStorage.setItem("watchbell-theme", chosen), theme);
      await page.reload();
      await ready();
      const { violations } = await new AxeBuilder({ page }).withTags(RULES).analyze();
      const found = violations.map(({ id, help, nodes }) => ({ id, help, where: nodes.map((node) => node.html) }));
      expect(found, `${path} in ${locale}, ${theme}`).toEqual([]);
    }
  }
}
