import { expect, test } from "./fixtures";
import { Receiver } from "./receiver";
import { Sender } from "./sender";

test("a delivery says what it is about, and leads to its attempts and its alert", async ({ page, signIn }) => {
  const receiver = await Receiver.start();
  await signIn();
  const sender = await Sender.to(page.request, "wall-board", receiver.url);
  await sender.send({ title: "Pump pressure is low", severity: "critical", host: "pump-1" });

  await page.goto(`/en/deliveries/?channel=${sender.channel}`);
  const row = page.getByRole("row").filter({ hasText: "Pump pressure is low" });
  await expect(row).toContainText("Delivered", { timeout: 60_000 });
  await expect(row).toContainText("Critical");
  await expect(row).toContainText("wall-board");
  await row.getByRole("button", { name: "Pump pressure is low: delivery to wall-board" }).press("Enter");
  const drawer = page.getByRole("dialog", { name: "Delivery to wall-board" });
  await expect(drawer.getByText("Pump pressure is low")).toBeVisible();
  await expect(drawer.getByText("Attempt 1")).toBeVisible();
  await drawer.getByRole("link", { name: "Open the alert" }).click();
  await expect(page).toHaveURL(/\/alerts\/\?id=/);
  await receiver.stop();
});
