import { createServer } from "node:http";
import type { Page } from "@playwright/test";
import { expect, expectAccessible, test } from "./fixtures";

/** A change through the API, as the page would send it. */
async function send(page: Page, method: "POST" | "PUT" | "DELETE", path: string, data?: unknown) {
  const me = await (await page.request.get("/api/v1/me")).json();
  const answer = await page.request.fetch(path, { method, data, headers: { "X-CSRF-Token": me.csrf_token } });
  if (!answer.ok()) throw new Error(`${method} ${path}: ${answer.status()} ${await answer.text()}`);
  return answer.status() === 204 ? undefined : answer.json();
}

/** A channel that posts to a listener of this journey, which keeps what came. */
async function makeChannel(page: Page, name: string) {
  const received: string[] = [];
  const listener = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on("end", () => {
      received.push(body);
      response.end("{}");
    });
  });
  await new Promise<void>((listening) => listener.listen(0, "127.0.0.1", listening));
  const address = listener.address();
  const port = typeof address === "object" && address ? address.port : 0;
  const channel = await send(page, "POST", "/api/v1/channels", {
    name,
    platform: "webhook",
    target: `http://127.0.0.1:${port}/`,
  });
  return { id: channel.id as number, token: channel.push_token as string, received, close: () => listener.close() };
}

const push = async (page: Page, token: string, title: string) => {
  const answer = await page.request.post(`/api/v1/push/${token}`, { data: { title, severity: "critical" } });
  expect(answer.ok(), await answer.text()).toBe(true);
};

test("a rule is created, tested, tried on the last days, and works", async ({ page, signIn }) => {
  await signIn("/en/rules/");
  const inbox = await makeChannel(page, "rules-inbox");
  const night = await makeChannel(page, "rules-night");
  await push(page, inbox.token, "before: tape robot is stuck");
  await page.reload();

  await page.getByRole("button", { name: "New rule" }).click();
  const drawer = page.getByRole("dialog");
  await drawer.getByRole("button", { name: "Create rule" }).click();
  await expect(drawer.getByText("Give the rule a name.")).toBeVisible();
  await drawer.getByLabel("Name").fill("tapes");
  await drawer.getByLabel("Subject").fill("*tape[*");
  await drawer.getByRole("button", { name: "Create rule" }).click();
  // The server's reason stands at the field that it names.
  await expect(drawer.getByText(/names no channels/).first()).toBeVisible();
  await drawer.getByRole("checkbox", { name: "rules-night" }).click();
  await drawer.getByRole("button", { name: "Create rule" }).click();
  await expect(drawer.getByLabel("Subject")).toHaveAttribute("aria-invalid", "true");
  await drawer.getByLabel("Subject").fill("*tape*");

  await drawer.getByRole("tab", { name: "Test" }).click();
  await drawer.getByRole("searchbox").fill("tape robot");
  await drawer.getByRole("button", { name: /tape robot is stuck/ }).click();
  const answer = drawer.getByRole("region", { name: "Answer" });
  await expect(answer.getByText("rule `tapes` matched: goes to `rules-night`")).toBeVisible();
  await drawer.getByRole("tab", { name: "What would change" }).click();
  await drawer.getByRole("button", { name: "Try it" }).click();
  await expect(drawer.getByRole("listitem").filter({ hasText: "tape robot is stuck" })).toBeVisible();
  await expect(drawer.getByRole("row", { name: /rules-night 0 1 \+1/ })).toBeVisible();

  await drawer.getByRole("button", { name: "Create rule" }).click();
  await expect(drawer).toBeHidden();
  await expect(page.getByRole("listitem").filter({ hasText: "tapes" })).toBeVisible();
  await push(page, inbox.token, "after: tape robot is stuck again");
  await expect.poll(() => night.received.some((body) => body.includes("after: tape robot"))).toBe(true);
  inbox.close();
  night.close();
});

test("rules are put into another order by keyboard and by dragging, and switched off", async ({ page, signIn }) => {
  await signIn("/en/rules/");
  const channel = await makeChannel(page, "order-channel");
  const names = ["order first", "order second", "order third"];
  for (const name of names) {
    await send(page, "POST", "/api/v1/rules", { name, channels: [channel.id], match: { system: name } });
  }
  await page.reload();
  const shown = async () => {
    const rows = await page.locator("ol > li").allTextContents();
    return rows.flatMap((text) => names.find((name) => text.includes(name)) ?? []);
  };
  await expect.poll(shown).toEqual(names);

  await page.getByRole("button", { name: /^Move order third/ }).focus();
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("ArrowUp");
  await expect.poll(shown).toEqual(["order third", "order first", "order second"]);
  await expect(page.getByRole("button", { name: /^Move order third/ })).toBeFocused();

  const handle = await page.getByRole("button", { name: /^Move order first/ }).boundingBox();
  const target = await page.locator("ol > li").filter({ hasText: "order second" }).boundingBox();
  if (!handle || !target) throw new Error("the rows are not on screen");
  await page.mouse.move(handle.x + handle.width / 2, handle.y + handle.height / 2);
  await page.mouse.down();
  await page.mouse.move(handle.x + 10, target.y + target.height - 4, { steps: 8 });
  await page.mouse.up();
  await expect.poll(shown).toEqual(["order third", "order second", "order first"]);
  await page.getByRole("button", { name: "Save order" }).click();
  await expect(page.getByText("The new order is in force")).toBeVisible();
  await page.reload();
  await expect.poll(shown).toEqual(["order third", "order second", "order first"]);

  await page.getByRole("switch", { name: "Rule order second is on" }).click();
  await expect(page.getByText("Rule order second is off")).toBeVisible();
  await expect(page.getByRole("switch", { name: "Rule order second is on" })).not.toBeChecked();
  channel.close();
});

test("a sample of one's own is tested, and default channels are chosen", async ({ page, signIn }) => {
  await signIn("/en/rules/");
  const channel = await makeChannel(page, "sample-channel");
  await page.reload();
  await page.getByRole("button", { name: "Change" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("checkbox", { name: "sample-channel" }).click();
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(dialog).toBeHidden();

  await page.getByRole("button", { name: "Test" }).click();
  await dialog.getByRole("tab", { name: "One of your own" }).click();
  await dialog.getByLabel("Subject").fill("nobody has a rule for this");
  const answer = dialog.getByRole("region", { name: "Answer" });
  await expect(answer.getByText("sample-channel", { exact: true })).toBeVisible();
  await page.keyboard.press("Escape");
  await send(page, "PUT", "/api/v1/default-channels", { channels: [] });
  channel.close();
});

test("the rules, the form and the tester are accessible", async ({ page, signIn }) => {
  test.slow();
  await signIn("/en/rules/");
  const channel = await makeChannel(page, "axe-channel");
  const rule = await send(page, "POST", "/api/v1/rules", {
    name: "axe rule",
    channels: [channel.id],
    match: { system: "db*", severity_at_least: "warning", labels: { env: "prod" } },
    continue: true,
    set_severity: "error",
    escalate: { severity_at_least: "critical", channels: [channel.id] },
    active: { days: ["mon"], from: "22:00", to: "06:00", timezone: "Asia/Tehran" },
  });
  await push(page, channel.token, "something for the tester");
  await expectAccessible(page, "/rules/", async () => expect(page.getByText("axe rule")).toBeVisible());
  await expectAccessible(page, `/rules/?id=${rule.id}`, async () => {
    await expect(page.getByRole("dialog").locator("[name=name]")).toHaveValue("axe rule");
  });
  await expectAccessible(page, "/rules/?test=1", async () => {
    await expect(page.getByRole("dialog").getByText("something for the tester")).toBeVisible();
  });
  channel.close();
});
