import { expect, type Page } from "@playwright/test";

/**
 * Confirms in the open dialog, and waits until it has done what it says. What is behind a dialog is hidden: a row that is
 * missing meanwhile may still be there.
 */
export async function confirm(page: Page, action: string): Promise<void> {
  const dialog = page.getByRole("alertdialog");
  await dialog.getByRole("button", { name: action }).click();
  await expect(dialog).toHaveCount(0);
}
