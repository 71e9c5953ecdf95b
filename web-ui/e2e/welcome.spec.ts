import { expect, test } from "./fixtures";
import { sendMail } from "./mail";
import { answering } from "./ready";
import { Receiver } from "./receiver";
import { Sender } from "./sender";
import { Server } from "./server";
import { Watch } from "./watch";

test("from the link that a new server prints to the first delivered alert", async ({ browser }) => {
  const server = await Server.start();
  const destination = await Receiver.start();
  const context = await browser.newContext({ baseURL: server.url, locale: "en-US" });
  const page = await context.newPage();
  const watch = new Watch(page, server.url);
  try {
    await expect.poll(() => server.log).toContain("/setup#wbl_");
    const link = /http\S+\/setup#wbl_\S+/.exec(server.log)?.[0] ?? "";
    await page.goto(link);
    await answering(page);
    await page.getByLabel("Name").fill("Rosa");
    await page.getByLabel("Email").fill("rosa@example.com");
    await page.getByLabel("Password", { exact: true }).fill("short");
    await page.getByRole("button", { name: "Create account and begin" }).click();
    await expect(page.getByText("Choose at least 10 characters.")).toBeVisible();
    await page.getByLabel("Password", { exact: true }).fill("correct horse battery staple");
    await page.getByRole("button", { name: "Create account and begin" }).click();

    await expect(page.getByRole("heading", { name: "What sends your alerts?" })).toBeVisible();
    await expect(page.getByText("Waiting for your first alert")).toBeVisible();
    await page.getByRole("radio", { name: "Anything else" }).click();
    await expect(page.getByText(`${server.url}/api/v1/push/`)).toBeVisible();
    await expect(page.getByText("PUSH_TOKEN")).toHaveCount(0);

    const alert = { from: "zabbix@db1.example", to: "ops@example.com", text: "no answer for 60 s" };
    await sendMail(server.smtp, { ...alert, subject: "CRITICAL: db1 is down" });
    await expect(page.getByText("It has arrived, and this is what was understood")).toBeVisible();
    await expect(page.getByText("zabbix@db1.example")).toBeVisible();
    await expect(page.getByText("Critical", { exact: true })).toBeVisible();

    await page.getByRole("button", { name: "Next" }).click();
    await page.getByLabel("URL").fill(destination.url);
    await page.getByRole("button", { name: "Add channel" }).click();
    const channel = page.getByRole("listitem", { name: "webhook" });
    await channel.getByRole("button", { name: "Send a test" }).click();
    await expect(channel.getByRole("status")).toContainText("Delivered in");
    expect(destination.bodies).toHaveLength(1);

    await page.getByRole("button", { name: "Next" }).click();
    await expect(page.getByText("CRITICAL: db1 is down").first()).toBeVisible();
    await expect(page.getByText(/everything to webhook.* matched/)).toBeVisible();
    await sendMail(server.smtp, { ...alert, subject: "CRITICAL: db2 is down" });
    await expect(page.getByText("CRITICAL: db2 is down").first()).toBeVisible();
    await expect(page.getByText("Delivered", { exact: true })).toBeVisible();
    await expect.poll(() => destination.count("db2 is down")).toBe(1);

    await page.getByRole("button", { name: "Next" }).click();
    await expect(page.getByRole("heading", { name: "Add a language model?" })).toBeVisible();
    await page.getByRole("link", { name: "Go to the overview" }).click();
    await expect(page).toHaveURL(/\/en\/$/);
    await page.goto(link);
    await expect(page.getByRole("heading", { name: "It is set up already" })).toBeVisible();
    watch.verify();
  } finally {
    await context.close();
    await destination.stop();
    await server.stop();
  }
});

test("a destination that is down is played through: attempts, a dead letter, and it arrives", async ({
  page,
  signIn,
}) => {
  test.slow();
  const receiver = await Receiver.start();
  await signIn();
  const sender = await Sender.to(page.request, "played with", receiver.url);
  await sender.send({ title: "Something came before", severity: "info" });
  await expect.poll(() => receiver.bodies.length).toBe(1);

  await page.goto("/en/welcome/?step=route");
  const drill = page
    .locator("section")
    .filter({ has: page.getByRole("heading", { name: /destination is down/ }) })
    .last();
  await drill.getByRole("button", { name: "Pretend that played with is down" }).click();
  await expect(drill.getByText("played with pretends to be down until")).toBeVisible();
  await expect(drill.getByText("drill: the channel pretends to be down").first()).toBeVisible();
  await expect(drill.getByText("Will retry", { exact: true }).first()).toBeVisible();
  await expect(drill.getByText("It gave up and is a dead letter.")).toBeVisible({ timeout: 120_000 });
  expect(receiver.bodies).toHaveLength(1);

  await drill.getByRole("button", { name: "End the drill" }).click();
  await drill.getByRole("button", { name: "Replay it now" }).click();
  await expect(drill.getByText("It has arrived, after all.")).toBeVisible({ timeout: 60_000 });
  await expect.poll(() => receiver.bodies.join()).toContain("Drill: sample-1 does not answer");
  await receiver.stop();
});

test("a channel that the server refuses keeps what was typed, with the reason at its field", async ({
  page,
  signIn,
}) => {
  await signIn("/en/welcome/?step=channel");
  await page.getByLabel("Name", { exact: true }).fill("broken");
  await page.getByLabel("URL").fill("not a url");
  await page.getByRole("button", { name: "Add channel" }).click();
  await expect(page.getByLabel("URL")).toHaveAttribute("aria-invalid", "true");
  await expect(page.getByLabel("URL")).toHaveValue("not a url");
});
