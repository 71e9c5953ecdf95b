import { expect, test } from "./fixtures";
import { Receiver } from "./receiver";
import { Sender } from "./sender";

test("a dead letter is replayed and arrives", async ({ page, signIn }) => {
  const receiver = await Receiver.start();
  receiver.status = 404;
  await signIn();
  const sender = await Sender.to(page.request, "gone", receiver.url);
  await sender.send({ title: "Backup failed", severity: "error", host: "dead1" });
  await sender.send({ title: "Certificate expires", severity: "warning", host: "dead2" });

  await page.goto("/en/dead-letters/");
  const rows = page.getByRole("row").filter({ hasText: "gone" });
  await expect(rows).toHaveCount(2, { timeout: 20_000 });
  await page.getByRole("button", { name: "Backup failed", exact: true }).click();
  const drawer = page.getByRole("dialog");
  await expect(drawer.getByText(/404/)).toBeVisible();
  await page.keyboard.press("Escape");

  receiver.status = 200;
  await page.goto("/en/dead-letters/");
  await page.getByRole("button", { name: "Replay: Backup failed" }).click();
  await expect(page.getByText("1 is queued again.")).toBeVisible();
  await expect(rows).toHaveCount(1);
  await page.getByRole("button", { name: "Replay all", exact: true }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Replay all" }).click();
  await expect(page.getByRole("heading", { name: "No dead letters" })).toBeVisible();
  await page.getByRole("link", { name: "See what comes of it" }).click();
  await expect(page.getByRole("row").filter({ hasText: "Delivered" }).first()).toBeVisible();
  await expect.poll(() => receiver.count("Certificate expires")).toBe(2);
  await receiver.stop();
});
