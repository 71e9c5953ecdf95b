import { confirm } from "./confirm";
import { expect, OWNER, test } from "./fixtures";
import { sendMail } from "./mail";
import { Receiver } from "./receiver";
import { Sender } from "./sender";
import { Server } from "./server";

let receiver: Receiver;
test.beforeAll(async () => {
  receiver = await Receiver.start();
});
test.afterAll(() => receiver.stop());

test("an alert is triaged by keyboard, and comes in live", async ({ page, signIn }) => {
  await signIn();
  const sender = await Sender.to(page.request, "triage", receiver.url);
  await sender.send({ title: "Disk almost full", message: "/var is at 91%", severity: "warning", host: "triage1" });
  await page.goto("/en/alerts/?system=triage1,triage2");
  const rows = page.getByRole("list", { name: "Alerts" }).getByRole("listitem");
  await expect(rows).toHaveCount(1);
  await sender.send({
    title: "Database is down",
    message: "no answer for 60 s",
    severity: "critical",
    host: "triage2",
  });
  await expect(rows).toHaveCount(2);
  await expect(rows.first()).toContainText("triage2");

  await page.keyboard.press("j");
  await expect(rows.first().getByRole("button").last()).toBeFocused();
  await page.keyboard.press("a");
  await expect(rows.first()).toContainText("Acknowledged");
  await expect(page.getByText("Alert acknowledged")).toBeVisible();

  await page.keyboard.press("Enter");
  const drawer = page.getByRole("dialog");
  await expect(drawer.getByText("no answer for 60 s")).toBeVisible();
  await drawer.getByRole("tab", { name: "Where it went" }).click();
  await expect(drawer.getByText("Delivered").first()).toBeVisible();
  await page.keyboard.press("j");
  await expect(drawer.getByRole("heading", { level: 2 })).toContainText(/disk/i);
  await page.keyboard.press("Escape");
  await expect(drawer).toBeHidden();

  await page.keyboard.press("s");
  const silence = page.getByRole("dialog", { name: "Silence" });
  await expect(silence.getByText(/1 of the newest/)).toBeVisible();
  await silence.getByRole("button", { name: "Silence", exact: true }).click();
  await expect(page.getByText(/Silenced until/)).toBeVisible();
  // While a dialog is open, keys are its own.
  await expect(silence).toBeHidden();

  await page.keyboard.press("/");
  await expect(page.getByRole("searchbox")).toBeFocused();
  await page.keyboard.type("database");
  await expect(rows).toHaveCount(1);
  await expect(page).toHaveURL(/q=database/);
});

test("alerts are acknowledged and resolved together", async ({ page, signIn }) => {
  await signIn();
  const sender = await Sender.to(page.request, "together", receiver.url);
  for (const host of ["bulk1", "bulk2", "bulk3"])
    await sender.send({ title: `Load on ${host}`, severity: "error", host });
  await page.goto("/en/alerts/?system=bulk1,bulk2,bulk3");
  const rows = page.getByRole("list", { name: "Alerts" }).getByRole("listitem");
  const chooseAll = async () => {
    for (const host of ["bulk1", "bulk2", "bulk3"]) await rows.filter({ hasText: host }).getByRole("checkbox").check();
  };
  await expect(rows).toHaveCount(3);
  await chooseAll();
  await page.getByRole("toolbar").getByRole("button", { name: "Acknowledge" }).click();
  await expect(page.getByText("3 alerts acknowledged")).toBeVisible();
  await expect(rows.filter({ hasText: "Acknowledged" })).toHaveCount(3);
  await expect(page.getByRole("toolbar")).toBeHidden();
  await chooseAll();
  await page.getByRole("toolbar").getByRole("button", { name: "Resolve" }).click();
  await page.getByRole("button", { name: "Resolve 3 alerts" }).click();
  await expect(rows.filter({ hasText: "Resolved" })).toHaveCount(3);
});

test("sample alerts are sent through the pipeline and removed again", async ({ browser }) => {
  const server = await Server.start({
    WATCHBELL_BOOTSTRAP_ADMIN_EMAIL: OWNER.email,
    WATCHBELL_BOOTSTRAP_ADMIN_PASSWORD: OWNER.password,
  });
  const context = await browser.newContext({ baseURL: server.url, locale: "en-US" });
  const page = await context.newPage();
  try {
    await page.request.post("/api/v1/auth/login", { data: OWNER });
    await page.goto("/en/alerts/");
    await page.getByRole("button", { name: "Send sample alerts" }).click();
    await expect(page.getByText("switch-3 is down").first()).toBeVisible();
    await expect(page.getByText(/There are sample alerts/)).toBeVisible();
    await page.getByRole("button", { name: "Remove the samples" }).click();
    await confirm(page, "Remove the samples", "8 sample alerts are removed.");
    await expect(page.getByRole("heading", { name: "No alerts" })).toBeVisible();
  } finally {
    await context.close();
    await server.stop();
  }
});

test("the HTML of a mail is shown, and loads and runs nothing", async ({ page, signIn, server, watch }) => {
  // What records the journey tries to run in the frame, too, and is refused like everything else.
  watch.expect(/Blocked script execution in 'about:srcdoc'/);
  const outside = await Receiver.start();
  await signIn();
  const text = `<html><head><link rel="stylesheet" href="${outside.url}/style.css"><style>@import "${outside.url}/i.css"; b { background: url(${outside.url}/b.png) }</style><meta http-equiv="refresh" content="0;url=${outside.url}/r"></head>
<body background="${outside.url}/back.png"><b>The pump room is flooded</b><img src="${outside.url}/pixel.png"><script>fetch("${outside.url}/script")</script><iframe src="${outside.url}/frame"></iframe><a href="${outside.url}/link">more</a></body></html>`;
  const from = "pumps@monitor.example";
  await sendMail(server.smtp, { from, to: "ops@example.com", subject: "CRITICAL: pump room", text, type: "text/html" });
  const found = async () => (await (await page.request.get("/api/v1/alerts?q=pump%20room")).json()).items;
  await expect.poll(async () => (await found()).length).toBe(1);
  await page.goto(`/en/alerts/?id=${(await found())[0].id}`);
  const drawer = page.getByRole("dialog");
  await drawer.getByRole("tab", { name: "As it came" }).click();
  await drawer.getByRole("button", { name: "HTML" }).click();
  const frame = drawer.locator("iframe");
  await expect(frame).toHaveAttribute("sandbox", "");
  const mail = frame.contentFrame();
  await expect(mail.getByText("The pump room is flooded")).toBeVisible();
  await expect(mail.locator("[src], [href], [background], script, iframe, meta[http-equiv=refresh]")).toHaveCount(0);
  expect(outside.bodies).toEqual([]);
  await outside.stop();
});
