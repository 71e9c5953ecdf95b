import { expect, test } from "./fixtures";

test("a bot is made, keeps its token to itself, and cannot be deleted while a channel uses it", async ({
  page,
  signIn,
}) => {
  await signIn("/en/bots/?new=telegram");
  await page.getByLabel("Name", { exact: true }).fill("duty bot");
  await page.getByRole("button", { name: "Create the bot" }).click();
  await expect(page.getByText("is missing; telegram needs one")).toBeVisible();
  await page.getByLabel(/^Bot token/).fill("123456:AAbbccddeeffgghhiijjkkllmmnnooppqq");
  await page.getByRole("button", { name: "Create the bot" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "duty bot" })).toBeVisible();
  await expect(page.getByLabel(/^Bot token/)).toHaveAttribute("placeholder", /••••ppqq$/);
  await expect(page.getByRole("button", { name: "Delete the bot" })).toBeVisible();

  await page.goto("/en/channels/?new=1");
  await page.getByLabel("Name", { exact: true }).fill("duty chat");
  await page.getByRole("combobox", { name: "Bot" }).click();
  await page.getByRole("option", { name: "duty bot" }).click();
  await page.getByLabel("Chat", { exact: true }).fill("-1001234567890");
  await page.getByRole("button", { name: "Create the channel" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "duty chat" })).toBeVisible();

  await page.goto("/en/bots/");
  await page.getByRole("link", { name: "duty bot", exact: true }).click();
  await expect(page.getByRole("link", { name: "duty chat" })).toBeVisible();
  await expect(page.getByText("It cannot be deleted while channels send with it.")).toBeVisible();
  await expect(page.getByRole("button", { name: "Delete the bot" })).toBeHidden();
});
