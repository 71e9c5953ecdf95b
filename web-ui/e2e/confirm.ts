import { expect, type Page } from "@playwright/test";

/**
 * Confirms in the open dialog, and waits until it has done what it says. What is behind a dialog is hidden: a row that is
 * missing meanwhile may still be there. A notice that it gives goes by itself, so it is `said` meanwhile.
 */
export async function confirm(page: Page, action: string, said?: string | RegExp): Promise<void> {
  const dialog = page.getByRole("alertdialog");
  const hear = async () => said && (await expect(page.getByText(said)).toBeVisible());
  await Promise.all([hear(), dialog.getByRole("button", { name: action }).click()]);
  await expect(dialog).toHaveCount(0);
}
