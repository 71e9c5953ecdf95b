// A server on which every screen has something to show.
import { type APIRequestContext, expect } from "@playwright/test";
import { read, send } from "./api";
import { sendMail } from "./mail";
import { Receiver } from "./receiver";
import { Sender } from "./sender";
import type { Server } from "./server";

/** What the screens are asked for. */
export interface Seed {
  alert: string;
  event: string;
  delivery: string;
  deadLetter: string;
  channel: number;
  bot: number;
  template: number;
  provider: number;
  rule: number;
}

/** `request` is that of the owner. */
export async function seed(request: APIRequestContext, server: Server): Promise<Seed> {
  const post = (path: string, data: unknown) => send(request, "POST", path, data);
  const receiver = await Receiver.start();
  receiver.status = 404;
  const gone = await Sender.to(request, "gone-pager", receiver.url);
  await gone.send({ title: "Backup failed", severity: "error", host: "backup-1" });
  const letters = await eventually(request, "/api/v1/dead-letters");
  receiver.status = 200;

  const sender = await Sender.to(request, "ops-hook", receiver.url);
  const { id: channel } = await post("/api/v1/channels", { name: "night-log", platform: "console" });
  const { id: rule } = await post("/api/v1/rules", {
    name: "databases at night",
    channels: [sender.channel, channel],
    match: { system: "db*", severity_at_least: "warning", labels: { env: "prod" } },
    continue: true,
    set_severity: "error",
    escalate: { severity_at_least: "critical", channels: [channel] },
    active: { days: ["mon"], from: "22:00", to: "06:00", timezone: "Asia/Tehran" },
  });
  await post("/api/v1/rules", { name: "everything else", channels: [sender.channel] });
  const { id: bot } = await post("/api/v1/bots", {
    name: "duty-bot",
    description: "for the night",
    platform: "telegram",
    bot_token: "123456:AAbbccddeeffgghhiijjkkllmmnnooppqq",
  });
  const { id: template } = await post("/api/v1/templates", {
    name: "in-two-directions",
    body: "سرور {{ .host | escMD }} *{{ .severity | escMD }}*",
    parse_mode: "MarkdownV2",
  });
  const { id: provider } = await post("/api/v1/ai-providers", {
    base_url: "http://127.0.0.1:9/v1",
    model: "small-model",
  });
  await post("/api/v1/mutes", { from: "noreply@news.example", comment: "a newsletter" });
  const soon = new Date(Date.now() + 9e6).toISOString();
  await post("/api/v1/silences", { match: { system: "lab*" }, comment: "the lab moves", expires_at: soon });
  await post("/api/v1/invites", { role: "viewer", count: 1 });
  await post("/api/v1/tokens", { name: "nightly-script", role: "viewer" });
  await post("/api/v1/tenants", { name: "branch-office" });

  const from = "zabbix@monitor.example";
  const text = "Host: db-1\nThe disk /var is at 96%.\nhttps://zabbix.example/problem/1";
  await sendMail(server.smtp, { from, to: "ops@example.com", subject: "PROBLEM: Disk is full on db-1", text });
  await sender.send({ title: "Load is high", severity: "warning", host: "web-1", env: "prod" });
  await sender.send({ title: "Certificate expires", severity: "info", host: "web-2", env: "prod" });
  const alerts = await eventually(request, "/api/v1/alerts?q=disk");
  const deliveries = await eventually(request, "/api/v1/deliveries?state=delivered");
  await send(request, "POST", `/api/v1/alerts/${alerts[0].id}/acknowledge`, { comment: "on it" });
  await receiver.stop();
  return {
    alert: alerts[0].id,
    event: alerts[0].last_event,
    delivery: deliveries[0].id,
    deadLetter: letters[0].id,
    channel: sender.channel,
    bot,
    template,
    provider,
    rule,
  };
}

/** The things of a list, as soon as there are any. */
async function eventually(request: APIRequestContext, path: string) {
  await expect
    .poll(async () => (await read(request, path)).items.length, { message: path, timeout: 60_000 })
    .toBeGreaterThan(0);
  return (await read(request, path)).items;
}
