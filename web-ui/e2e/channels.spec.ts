import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import english from "../src/messages/en/connect.json" with { type: "json" };
import { read } from "./api";
import { confirm } from "./confirm";
import { expect, test } from "./fixtures";
import { Receiver } from "./receiver";
import { Sender } from "./sender";

test("a channel is made, tested, and pushed to with its token", async ({ page, signIn }) => {
  const there = await Receiver.start();
  await signIn("/en/channels/?new=1");
  await page.getByRole("combobox", { name: "Platform" }).click();
  await page.getByRole("option", { name: "Webhook" }).click();

  await page.getByRole("button", { name: "Create the channel" }).click();
  await expect(page.getByText("Give it a name.")).toBeVisible();
  await page.getByLabel("Name", { exact: true }).fill("ops hook");
  await page.getByLabel("URL", { exact: true }).fill("nowhere");
  await page.getByRole("button", { name: "Create the channel" }).click();
  await expect(page.getByText("is not a URL")).toBeVisible();
  await expect(page.getByLabel("URL", { exact: true })).toHaveValue("nowhere");

  await page.getByLabel("URL", { exact: true }).fill(there.url);
  await page.getByLabel(/Authorization header/).fill("Bearer very-secret");
  await page.getByRole("button", { name: "Create the channel" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "ops hook" })).toBeVisible();
  await expect(page.getByText("It is set. Leave this blank to keep it.")).toBeVisible();
  expect(await page.content()).not.toContain("very-secret");

  await page.getByRole("button", { name: "Send a test" }).click();
  await expect(page.getByText(/^Delivered in/)).toBeVisible();
  expect(there.bodies).toHaveLength(1);

  const token = (await page.getByRole("figure", { name: "Push token" }).locator("code").textContent()) ?? "";
  const push = (pushed: string) =>
    page.request.post(`/api/v1/push/${pushed}`, { data: { title: "disk is full on db-1", severity: "critical" } });
  expect((await push(token)).ok()).toBe(true);
  await expect.poll(() => there.count("disk is full on db-1")).toBe(1);

  await page.getByRole("button", { name: "Make another token" }).click();
  await confirm(page, "Make another token");
  await expect(page.getByRole("figure", { name: "Push token" }).locator("code")).not.toHaveText(token);
  expect((await push(token)).status()).toBe(404);

  await page.getByRole("switch", { name: "Send through ops hook" }).click();
  await expect(page.getByText("ops hook is off: routing leaves it out.")).toBeVisible();
  await page.getByRole("link", { name: "Channels" }).first().click();
  await expect(page.getByRole("switch", { name: "Send through ops hook" })).not.toBeChecked();
  await there.stop();
});

test("the chat of a Telegram bot is found and chosen", async ({ page, signIn }) => {
  const update = { update_id: 1, message: { message_id: 1, chat: { id: 7, type: "private", first_name: "Ada" } } };
  const telegram = createServer((_, response) => response.end(JSON.stringify({ ok: true, result: [update] })));
  await new Promise<void>((listening) => telegram.listen(0, "127.0.0.1", listening));
  await signIn();
  const { csrf_token } = await (await page.request.get("/api/v1/me")).json();
  const { port } = telegram.address() as AddressInfo;
  const made = await page.request.post("/api/v1/bots", {
    headers: { "X-CSRF-Token": csrf_token },
    data: { name: "finder", bot_token: "1:a", api_base: `http://127.0.0.1:${port}` },
  });
  expect(made.status()).toBe(201);
  await page.goto("/en/channels/?new=1");
  await page.getByRole("combobox", { name: "Bot" }).click();
  await page.getByRole("option", { name: "finder" }).click();
  await page.getByRole("button", { name: "Find the chat" }).click();
  await page.getByRole("list", { name: "Chats that spoke to the bot" }).getByRole("button", { name: /Ada/ }).click();
  await expect(page.getByLabel("Chat", { exact: true })).toHaveValue("7");
  telegram.closeAllConnections();
  telegram.close();
});

test("the list says where messages arrive and where not, and leads to the deliveries", async ({ page, signIn }) => {
  const receiver = await Receiver.start();
  await signIn();
  const sender = await Sender.to(page.request, "health hook", receiver.url);
  await page.goto("/en/channels/");
  const row = page.getByRole("row").filter({ hasText: "health hook" });
  await expect(row).toContainText("Nothing sent lately");
  await sender.send({ title: "first", severity: "warning", host: "health-1" });
  await expect(row).toContainText("Delivered");
  receiver.status = 404;
  await sender.send({ title: "second", severity: "warning", host: "health-2" });
  await row.getByRole("link", { name: /^1 not delivered/ }).click();
  await expect(page).toHaveURL(/\/deliveries\/\?channel=\d+$/);
  await expect(page.getByRole("row").filter({ hasText: "second" })).toContainText("Gave up");
  await receiver.stop();
});

test("the list is ordered by a column, and the URL remembers it", async ({ page, signIn }) => {
  await signIn();
  for (const name of ["ordered 10", "ordered 9"]) await Sender.to(page.request, name);
  await page.goto("/en/channels/");
  const names = async () => (await page.getByRole("link", { name: /^ordered/ }).allTextContents()).join();
  await expect.poll(names).toBe("ordered 10,ordered 9");
  const head = page.getByRole("columnheader", { name: "Name" });
  await head.getByRole("button").press("Enter");
  await expect(head).toHaveAttribute("aria-sort", "ascending");
  await expect.poll(names).toBe("ordered 9,ordered 10");
  await head.getByRole("button").press("Enter");
  await expect(page).toHaveURL(/sort=-name/);
  await page.reload();
  await expect.poll(names).toBe("ordered 10,ordered 9");
  await expect(head).toHaveAttribute("aria-sort", "descending");
});

test("what the server says about a platform's fields is said in every language", async ({ page, signIn }) => {
  await signIn();
  const { items } = await read(page.request, "/api/v1/platforms");
  const helps: Record<string, string> = english.helps;
  for (const { id, fields, bot } of items) {
    for (const { name, help } of [...fields, ...bot]) {
      expect(helps[`${id}_${name}`] ?? helps[name], `${id}: ${name}`).toBe(help);
    }
  }
});
