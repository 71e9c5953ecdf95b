import { read, send } from "./api";
import { expect, test } from "./fixtures";
import { settled } from "./ready";
import { Receiver } from "./receiver";
import { MANY_MS, Sender } from "./sender";

test("a rule is created, tested, tried on the last days, and works", async ({ page, signIn }) => {
  await signIn("/en/rules/");
  const [day, night] = [await Receiver.start(), await Receiver.start()];
  const inbox = await Sender.to(page.request, "rules-inbox", day.url);
  await Sender.to(page.request, "rules-night", night.url);
  await inbox.send({ title: "before: tape robot is stuck", severity: "critical" });
  await page.reload();
  await settled(page);

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
  await expect(answer.getByText("Rule tapes matched: goes to rules-night.")).toBeVisible();
  await drawer.getByRole("tab", { name: "What would change" }).click();
  await drawer.getByRole("button", { name: "Try it" }).click();
  await expect(drawer.getByRole("listitem").filter({ hasText: "tape robot is stuck" })).toBeVisible();
  await expect(drawer.getByRole("row", { name: /rules-night 0 1 \+1/ })).toBeVisible();

  await drawer.getByRole("button", { name: "Create rule" }).click();
  await expect(drawer).toBeHidden();
  await expect(page.getByRole("listitem").filter({ hasText: "tapes" })).toBeVisible();
  await inbox.send({ title: "after: tape robot is stuck again", severity: "critical" });
  await expect.poll(() => night.count("after: tape robot")).toBe(1);
  await Promise.all([day.stop(), night.stop()]);
});

test("rules are put into another order by keyboard and by dragging, and switched off", async ({ page, signIn }) => {
  await signIn("/en/rules/");
  const { channel } = await Sender.to(page.request, "order-channel");
  const names = ["order first", "order second", "order third"];
  for (const name of names) {
    await send(page.request, "POST", "/api/v1/rules", { name, channels: [channel], match: { system: name } });
  }
  await page.reload();
  const shown = async () => {
    const rows = await page.locator("ol > li").allTextContents();
    return rows.flatMap((text) => names.find((name) => text.includes(name)) ?? []);
  };
  await expect.poll(shown).toEqual(names);

  await page.getByRole("button", { name: /^Move order third/ }).focus();
  await page.keyboard.press("ArrowUp");
  await expect.poll(shown).toEqual(["order first", "order third", "order second"]);
  await expect(page.getByRole("button", { name: /^Move order third/ })).toBeFocused();
  await page.keyboard.press("ArrowUp");
  await expect.poll(shown).toEqual(["order third", "order first", "order second"]);
  await expect(page.getByRole("button", { name: /^Move order third/ })).toBeFocused();

  await page.locator("ol > li").filter({ hasText: "order second" }).scrollIntoViewIfNeeded();
  await settled(page);
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
});

test("a sample of one's own is tested, and default channels are chosen", async ({ page, signIn }) => {
  await signIn();
  await Sender.to(page.request, "sample-channel");
  const { channels: before } = await read(page.request, "/api/v1/default-channels");
  await page.goto("/en/rules/");
  const change = page.getByRole("button", { name: "Change", exact: true });
  await expect(change).toBeVisible();
  await settled(page);
  await change.click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("checkbox", { name: "sample-channel" }).click();
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(dialog).toBeHidden();

  await page.getByRole("button", { name: "Test", exact: true }).click();
  await dialog.getByRole("tab", { name: "One of your own" }).click();
  await dialog.getByLabel("Subject").fill("nobody has a rule for this");
  const answer = dialog.getByRole("region", { name: "Answer" });
  await expect(answer.getByText("sample-channel", { exact: true })).toHaveCount(2);
  await page.keyboard.press("Escape");
  await send(page.request, "PUT", "/api/v1/default-channels", { channels: before });
});

test("the look at what would change shows how far it is, and can be stopped", async ({ page, signIn }) => {
  test.setTimeout(2 * MANY_MS);
  await signIn();
  // Of so many nobody is told: a destination that does not take them would keep the server busy with them.
  const expires_at = new Date(Date.now() + 3_600_000).toISOString();
  const silence = { match: { system: "what-if-1" }, expires_at, comment: "what-if: nobody is told" };
  const { id } = await send(page.request, "POST", "/api/v1/silences", silence);
  const inbox = await Sender.to(page.request, "what-if-inbox");
  // More than two requests look at.
  await inbox.sendMany({ count: 4_500, title: "what-if", host: "what-if-1" });
  const came = async () => (await read(page.request, "/api/v1/facets?system=what-if-1")).counted;
  await expect.poll(came, { timeout: MANY_MS }).toBe(4_500);
  let goOn = () => {};
  const held = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  let asked = 0;
  await page.route("**/api/v1/rules/dry-run", async (route) => {
    asked += 1;
    if (asked === 2) await held;
    await route.continue().catch(() => {});
  });
  await page.goto("/en/rules/");
  await settled(page);
  await page.getByRole("button", { name: "New rule" }).click();
  const drawer = page.getByRole("dialog");
  await drawer.getByLabel("Name").fill("held");
  await drawer.getByRole("checkbox", { name: "what-if-inbox" }).click();
  await drawer.getByRole("tab", { name: "What would change" }).click();
  await drawer.getByRole("button", { name: "Try it" }).click();
  await expect(drawer.getByText(/^2,000 alerts, back to/)).toBeVisible();
  await expect(drawer.getByRole("progressbar")).toBeVisible();
  await drawer.getByRole("button", { name: "Stop" }).click();
  await expect(drawer.getByText(/^Stopped: 2,000 alerts, back to/)).toBeVisible();
  goOn();
  await expect(drawer.getByRole("progressbar")).toBeHidden();
  expect(asked).toBe(2);
  await drawer.getByRole("button", { name: "Try again" }).click();
  await expect(drawer.getByText(/^([4-9]|\d\d+),\d{3} alerts were looked at/)).toBeVisible({ timeout: 60_000 });
  await send(page.request, "DELETE", `/api/v1/channels/${inbox.channel}`);
  await send(page.request, "DELETE", `/api/v1/silences/${id}`);
});
