// What axe finds on a page, and pictures of all pages that it looks at: `JOURNEY_PICTURES=/some/folder`.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { expect, type Page } from "@playwright/test";
import type { RunOptions } from "axe-core";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const PICTURES = process.env.JOURNEY_PICTURES;

/** Of all rules, those that the theme can break, are enough for the second theme. */
const RULES = {
  dark: { type: "rule", values: ["color-contrast", "link-in-text-block"] },
  light: { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] },
} as const;

/** Lets axe look at the page as it is, in both themes; the light one stays. */
export async function expectAccessible(page: Page, name: string): Promise<void> {
  // Not as a tag, which the content security policy forbids.
  await page.evaluate(AXE);
  for (const theme of ["dark", "light"] as const) {
    await inTheme(page, theme);
    const found = await violations(page, RULES[theme]);
    await picture(page, `${name}, ${theme}`);
    expect(found, `${name}, ${theme}`).toEqual([]);
  }
}

/** Keeps what the page looks like, if somebody wants to see it. */
export async function picture(page: Page, name: string): Promise<void> {
  if (PICTURES) await page.screenshot({ path: join(PICTURES, `${name.replaceAll(/[^\w?=-]+/g, "-")}.png`) });
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

function violations(page: Page, rules: (typeof RULES)[keyof typeof RULES]) {
  // Only what is wrong is wanted: to describe all that is right takes most of the time.
  const options = { runOnly: { ...rules, values: [...rules.values] }, resultTypes: ["violations"], preload: false };
  return page.evaluate(
    async (options) => {
      const { violations } = await window.axe.run(document, options as RunOptions);
      return violations.map(({ id, help, nodes }) => ({ id, help, where: nodes.map(({ html }) => html) }));
    },
    { ...options, selectors: false },
  );
}

declare global {
  interface Window {
    axe: typeof import("axe-core");
  }
}
