import { expect, type Page } from "@playwright/test";

/** Waits until all that a screen has asked for is on it: nothing moves away any more between a press and its release. */
export async function settled(page: Page): Promise<void> {
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await expect(page.locator("[data-skeleton], [aria-busy=true]")).toHaveCount(0);
}

/**
 * Waits until the page answers to what is done on it. Screens that are complete in the exported HTML are seen before
 * that, and what is pressed or typed on them then is lost.
 */
export async function answering(page: Page): Promise<void> {
  // React marks the elements that it has taken over.
  await page.waitForFunction(() => {
    const control = document.querySelector("main button, main input, button");
    return control !== null && Object.keys(control).some((key) => key.startsWith("__reactProps$"));
  });
}
