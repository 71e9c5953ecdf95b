import { read } from "./api";
import { test as base, expect, serving } from "./fixtures";
import { Receiver } from "./receiver";
import { MANY_MS, Sender } from "./sender";
import type { Server } from "./server";

const test = base.extend<object, { server: Server }>({
  // A server of its own: what is replayed is all that there is, and others leave dead letters behind.
  server: [serving, { scope: "worker" }],
});

test("a dead letter is replayed and arrives", async ({ page, signIn }) => {
  test.slow();
  const receiver = await Receiver.start();
  receiver.status = 404;
  await signIn();
  const sender = await Sender.to(page.request, "gone", receiver.url);
  await sender.send({ title: "Backup failed", severity: "error", host: "dead1" });
  await sender.send({ title: "Certificate expires", severity: "warning", host: "dead2" });

  await page.goto("/en/dead-letters/");
  const rows = page.getByRole("row").filter({ hasText: "gone" });
  await expect(rows).toHaveCount(2, { timeout: 60_000 });
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

test("dead letters are grouped by cause, and one cause is replayed", async ({ page, signIn }) => {
  test.slow();
  const receiver = await Receiver.start();
  receiver.status = 404;
  await signIn();
  const lost = await Sender.to(page.request, "lost-room", receiver.url);
  await lost.sendMany({ count: 3, title: "cause-a", host: "causes-1" });
  const dead = async () => (await read(page.request, `/api/v1/dead-letters?channel=${lost.channel}`)).items.length;
  await expect.poll(dead, { timeout: 60_000 }).toBe(3);
  receiver.status = 403;
  await lost.sendMany({ count: 2, title: "cause-b", host: "causes-2" });
  await expect.poll(dead, { timeout: 60_000 }).toBe(5);

  await page.goto("/en/dead-letters/");
  const cause = (status: string) =>
    page.getByRole("listitem").filter({ hasText: "lost-room" }).filter({ hasText: status });
  await expect(cause("404")).toContainText("3 dead letters");
  await cause("403")
    .getByRole("button", { name: /^Show these/ })
    .press("Enter");
  await expect(page).toHaveURL(/cause=403/);
  const rows = page.getByRole("row").filter({ hasText: "lost-room" });
  await expect(rows).toHaveCount(2);
  await expect(rows.first()).toContainText("cause-b");
  await page.reload();
  await expect(rows).toHaveCount(2);

  receiver.status = 200;
  await cause("403")
    .getByRole("button", { name: /^Replay these/ })
    .click();
  const question = page.getByRole("alertdialog", { name: "Replay 2 dead letters?" });
  await expect(question).toContainText("lost-room");
  await expect(question).toContainText("403");
  await question.getByRole("button", { name: "Replay these" }).click();
  await expect(page.getByText("2 are queued again.")).toBeVisible();
  await expect.poll(() => receiver.count("cause-b"), { timeout: 60_000 }).toBe(4);
  await expect(cause("403")).toBeHidden();
  await expect(cause("404")).toContainText("3 dead letters");
  await cause("404")
    .getByRole("button", { name: /^Replay these/ })
    .click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Replay these" }).click();
  await expect(cause("404")).toBeHidden();
  await receiver.stop();
});

test("many dead letters are replayed with progress, and the replay can be stopped", async ({ page, signIn }) => {
  test.setTimeout(3 * MANY_MS);
  const LETTERS = 1_100;
  const receiver = await Receiver.start();
  receiver.status = 404;
  await signIn();
  const sender = await Sender.to(page.request, "many-letters", receiver.url);
  await sender.sendMany({ count: LETTERS, title: "letter", host: "letters-1" });
  // Those of this channel alone; of others there may be some, too.
  const causes = async () =>
    (await read(page.request, `/api/v1/dead-letters/causes?channel=${sender.channel}`)).counted;
  await expect.poll(causes, { timeout: MANY_MS }).toBe(LETTERS);
  receiver.status = 200;

  // The second batch waits until somebody has seen the progress and pressed the button.
  let goOn = () => {};
  const held = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  let batches = 0;
  await page.route("**/api/v1/dead-letters/replay-all", async (route) => {
    batches += 1;
    if (batches === 2) await held;
    await route.continue();
  });
  await page.goto(`/en/dead-letters/?channel=${sender.channel}`);
  const replayAll = async () => {
    await page.getByRole("button", { name: "Replay all that match" }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Replay all that match" }).click();
  };
  await replayAll();
  await expect(page.getByRole("progressbar", { name: "Queueing dead letters again" })).toHaveAttribute("value", "500");
  await page.getByRole("status").getByRole("button", { name: "Stop" }).click();
  goOn();
  await expect(page.getByText("Stopped. 1,000 are queued again.")).toBeVisible();
  expect(batches).toBe(2);
  await expect.poll(() => receiver.count("letter"), { timeout: MANY_MS }).toBe(LETTERS + 1_000);

  await replayAll();
  await expect(page.getByText("100 are queued again.")).toBeVisible();
  await expect.poll(() => receiver.count("letter"), { timeout: MANY_MS }).toBe(2 * LETTERS);
  await receiver.stop();
});
