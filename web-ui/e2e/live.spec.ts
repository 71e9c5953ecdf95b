import { read } from "./api";
import { expect, test } from "./fixtures";
import { Sender } from "./sender";

const SECOND_MS = 1_000;
const TRIES = 8;

test("a restart of the server loses neither the place in the list nor what was typed, and then the list is live again", async ({
  page,
  server,
  signIn,
  watch,
}) => {
  test.slow();
  await signIn();
  const sender = await Sender.to(page.request, "restarted");
  await sender.sendMany({ count: 60, title: "restart", host: "restart-1" });
  const path = "/en/alerts/?system=restart-1";
  await page.goto(path);
  const list = page.getByRole("list", { name: "Alerts" });
  const firing = page.getByRole("button", { name: /^Firing/ });
  await expect(firing).toContainText("60");
  await list.locator("..").evaluate((box) => box.scrollTo({ top: 20 * 64 + 10 }));
  const name = await list.locator("[aria-posinset='24']").getByRole("button").last().textContent();
  const row = list.getByRole("button", { name: name ?? "", exact: true });
  await expect(row).toBeInViewport();
  const place = await row.boundingBox();

  // A second tab has a form that is not finished.
  const second = await page.context().newPage();
  await second.goto("/en/silences/?new=1");
  await second.getByLabel("Why").fill("half a sen");

  // While it stops and starts it may also say that it cannot serve yet.
  watch.expect(/ERR_(CONNECTION|EMPTY|INCOMPLETE)|network error|^503 from/i);
  await server.restart();
  for (const tab of [page, second]) await expect(tab.getByText("Live", { exact: true })).toBeVisible();
  await expect(second.getByLabel("Why")).toHaveValue("half a sen");
  await second.getByLabel("Why").pressSequentially("tence");
  await expect(second.getByLabel("Why")).toHaveValue("half a sentence");

  await sender.send({ title: "after the restart", severity: "warning", host: "restart-1" });
  await expect(firing).toContainText("61");
  await expect.poll(() => row.boundingBox()).toEqual(place);
  await list.locator("..").evaluate((box) => box.scrollTo({ top: 0 }));
  await expect(list.getByRole("listitem").first()).toContainText("after the restart");
});

test("what is half typed stays, in every form, when news comes in and when the server restarts", async ({
  page,
  server,
  signIn,
  watch,
}) => {
  test.slow();
  await signIn();
  const sender = await Sender.to(page.request, "half-typed");
  const alert = { title: "half typed", severity: "warning", host: "half-1" };
  await sender.send(alert);
  await page.goto("/en/alerts/?system=half-1");
  await page.getByRole("button", { name: /half typed/ }).click();
  const drawer = page.getByRole("dialog");
  await drawer.getByRole("button", { name: "Correct", exact: true }).click();
  const summary = drawer.getByLabel("Summary");
  await summary.fill("half a summ");
  await sender.send(alert);
  await expect(drawer.getByText("2 times")).toBeVisible();
  await expect(summary).toHaveValue("half a summ");
  await page.keyboard.press("Escape");
  await drawer.getByRole("button", { name: "Keep editing" }).click();

  // No more tabs than a browser has connections for.
  const forms: [path: string, label: string, opener?: string][] = [
    ["/en/rules/", "Name", "New rule"],
    [`/en/channels/?id=${sender.channel}`, "Name"],
    ["/en/templates/?new=1", "Name"],
    ["/en/ai/?new=1", "Model"],
  ];
  const typed = [];
  for (const [path, label, opener] of forms) {
    const tab = await page.context().newPage();
    await tab.goto(path);
    if (opener) await tab.getByRole("button", { name: opener }).first().click();
    const field = tab.getByLabel(label, { exact: true });
    await field.fill("half a wo");
    typed.push({ path, tab, field });
  }

  watch.expect(/ERR_(CONNECTION|EMPTY|INCOMPLETE)|network error|^503 from/i);
  await server.restart();
  await expect(page.getByText("Live", { exact: true })).toBeVisible();
  await sender.send(alert);
  await expect(drawer.getByText("3 times")).toBeVisible();
  await expect(summary).toHaveValue("half a summ");
  for (const { path, tab, field } of typed) {
    await expect(tab.getByText("Live", { exact: true }), path).toBeVisible();
    await expect(field, path).toHaveValue("half a wo");
    await tab.close();
  }
  await summary.pressSequentially("ary");
  await drawer.getByRole("button", { name: "Save the correction" }).click();
  await expect(page.getByText("The correction is kept", { exact: true })).toBeVisible();
});

test("what comes in is on the screen within a second, in the list and in the counters", async ({ page, signIn }) => {
  await signIn();
  const sender = await Sender.to(page.request, "within-a-second");
  await sender.send({ title: "the first", severity: "warning", host: "second-1" });
  await page.goto("/en/alerts/?system=second-1");
  const rows = page.getByRole("list", { name: "Alerts" }).getByRole("listitem");
  await expect(rows).toHaveCount(1);
  await expect(page.getByText("Live", { exact: true })).toBeVisible();
  const firing = page.getByRole("button", { name: /^Firing/ });
  const known = async () => (await read(page.request, "/api/v1/alerts?system=second-1")).items.length;
  // It always arrives. Others who use the machine can only lengthen how long it takes, so the best of some tries counts.
  const took: number[] = [];
  for (let count = 2; count < 2 + TRIES && !took.some((ms) => ms <= SECOND_MS); count += 1) {
    await sender.send({ title: `number ${count}`, severity: "critical", host: "second-1" });
    // The server knows it when it is in the history; from there the screen has a second.
    await expect.poll(known, { intervals: [20] }).toBe(count);
    const since = Date.now();
    await expect.poll(() => rows.count(), { intervals: [20] }).toBe(count);
    await expect.poll(() => firing.textContent(), { intervals: [20] }).toContain(String(count));
    took.push(Date.now() - since);
  }
  test.info().annotations.push({ type: "until it is on the screen in ms", description: took.join() });
  expect(Math.min(...took)).toBeLessThanOrEqual(SECOND_MS);
});

test("a time says the exact one on hover and on focus, and Escape takes it away", async ({ page, signIn }) => {
  await signIn();
  const sender = await Sender.to(page.request, "on-hover");
  await sender.send({ title: "hover over me", severity: "info", host: "hover-1" });
  await page.goto("/en/alerts/?system=hover-1");
  const time = page.locator("main time").first();
  const words = page.getByRole("tooltip");
  // A list that was just drawn anew knows nothing of a pointer that had come before.
  await expect(async () => {
    await page.mouse.move(0, 0);
    await time.hover();
    await expect(words).toBeVisible({ timeout: 2_000 });
  }).toPass();
  await expect(words).toContainText(String(new Date().getFullYear()));
  await expect(time).toHaveAttribute("aria-describedby", (await words.getAttribute("id")) ?? "");
  await page.keyboard.press("Escape");
  await expect(words).toBeHidden();
  await page.mouse.move(0, 0);
  await page.getByRole("checkbox").first().focus();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  await expect(time).toBeFocused();
  await expect(words).toBeVisible();
});
