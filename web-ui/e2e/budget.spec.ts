// What stays fast and bounded however much there is, measured while nothing else runs.
import type { Page } from "@playwright/test";
import { send } from "./api";
import { expect, test } from "./fixtures";
import { Sender } from "./sender";

const ALERTS = 10_000;
const SCREEN = "/en/alerts/?system=many-1";
/**
 * From the navigation to the first key answered, with nothing in the browser's cache, by the page's own clock: the
 * promise. Others who use the machine can only lengthen it, so the best of some tries counts.
 */
const INTERACTIVE_MS = 1_500;
const TRIES = 25;
/** Of it, what the page's own thread works, which nobody else lengthens. */
const WORK_MS = 1_000;
/** What the browser has to draw, however long the list is. */
const ROWS_MAX = 60;
/** Of the page's own work for each frame, on average, when ten rows pass in each. */
const STEP = 640;
const FRAMES = 100;
const FRAME_WORK_MS = 50;

test.beforeEach(async ({ page, signIn }) => {
  test.slow();
  await signIn();
  const match = { system: "many-*" };
  const soon = new Date(Date.now() + 3_600_000).toISOString();
  await send(page.request, "POST", "/api/v1/silences", { match, expires_at: soon, comment: "nobody is told" });
  const sender = await Sender.to(page.request, "many-alerts");
  await sender.sendMany({ count: ALERTS, title: "many", host: "many-1" });
  const known = async () => (await (await page.request.get("/api/v1/facets?system=many-1")).json()).system[0]?.count;
  await expect.poll(known, { timeout: 120_000 }).toBe(ALERTS);
});

test("of ten thousand alerts the first are there at once, and all scroll smoothly", async ({
  browser,
  page,
  server,
}) => {
  const session = await page.context().storageState();
  const runs: { interactive: number; work: number }[] = [];
  while (runs.length < TRIES && !runs.some(({ interactive }) => interactive <= INTERACTIVE_MS)) {
    const context = await browser.newContext({ baseURL: server.url, storageState: session });
    runs.push(await measure(await context.newPage()));
    await context.close();
  }
  test.info().annotations.push({ type: "cold start in ms", description: JSON.stringify(runs) });
  expect(Math.min(...runs.map(({ interactive }) => interactive)), "on the clock").toBeLessThanOrEqual(INTERACTIVE_MS);
  expect(Math.min(...runs.map(({ work }) => work)), "of work").toBeLessThanOrEqual(WORK_MS);

  await page.goto(SCREEN);
  const list = page.getByRole("list", { name: "Alerts" });
  const rows = list.getByRole("listitem");
  await rows.first().waitFor();
  const box = list.locator("..");
  const all = page.getByText(`${ALERTS.toLocaleString("en")} alerts`, { exact: true });
  await expect(async () => {
    await box.evaluate((element) => element.scrollTo({ top: element.scrollHeight }));
    await expect(all).toBeVisible({ timeout: 50 });
  }).toPass({ intervals: [20], timeout: 60_000 });
  expect(await rows.count()).toBeLessThan(ROWS_MAX);

  // Upwards from the end, as fast as a hand can turn: how much work is a frame, and how many rows are there?
  const workOf = await meter(page);
  const most = await box.evaluate(
    async (element, { step, frames }) => {
      let most = 0;
      for (let frame = 0; frame < frames; frame += 1) {
        element.scrollBy({ top: -step });
        await new Promise((drawn) => requestAnimationFrame(drawn));
        most = Math.max(most, element.querySelectorAll("li").length);
      }
      return most;
    },
    { step: STEP, frames: FRAMES },
  );
  const perFrame = (await workOf()) / FRAMES;
  test.info().annotations.push({ type: "work for each frame in ms", description: perFrame.toFixed(1) });
  expect(most).toBeLessThan(ROWS_MAX);
  expect(perFrame).toBeLessThan(FRAME_WORK_MS);
  await expect(rows.first()).toHaveAttribute("aria-setsize", String(ALERTS));
  await box.evaluate((element) => element.scrollTo({ top: 0 }));
  await expect(rows.first()).toHaveAttribute("aria-posinset", "1");
});

/** Opens the list with a cold cache until it answers a key: milliseconds since the navigation, and of the page's work. */
async function measure(page: Page): Promise<{ interactive: number; work: number }> {
  const workOf = await meter(page);
  // Presses the key in the page itself, frame by frame: what is measured is not how long this process takes to ask.
  await page.addInitScript(() => {
    const press = () => {
      if (document.activeElement?.closest("[aria-posinset]")) {
        performance.mark("interactive");
        return;
      }
      const isThere = document.querySelector("[aria-posinset]") !== null;
      if (isThere) document.dispatchEvent(new KeyboardEvent("keydown", { key: "j", bubbles: true }));
      requestAnimationFrame(press);
    };
    requestAnimationFrame(press);
  });
  await page.goto(SCREEN, { waitUntil: "commit" });
  const marked = await page.waitForFunction(() => performance.getEntriesByName("interactive")[0]?.startTime);
  return { interactive: Math.round(Number(await marked.jsonValue())), work: Math.round(await workOf()) };
}

/** Tells the milliseconds that the page's own thread has worked from now on, however long others made it wait. */
async function meter(page: Page): Promise<() => Promise<number>> {
  const tools = await page.context().newCDPSession(page);
  await tools.send("Performance.enable", { timeDomain: "threadTicks" });
  const read = async () => {
    const { metrics } = await tools.send("Performance.getMetrics");
    return 1_000 * (metrics.find(({ name }) => name === "TaskDuration")?.value ?? 0);
  };
  const before = await read();
  return async () => (await read()) - before;
}
