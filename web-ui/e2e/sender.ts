import { createServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { APIRequestContext } from "@playwright/test";

/** Takes what a webhook channel sends, and answers with `status`. */
export class Receiver {
  status = 200;
  readonly bodies: string[] = [];
  private constructor(private readonly server: HttpServer) {}

  static async start(): Promise<Receiver> {
    const receiver = new Receiver(createServer());
    receiver.server.on("request", (request, response) => {
      let body = "";
      request.on("data", (chunk) => {
        body += chunk;
      });
      request.on("end", () => {
        receiver.bodies.push(body);
        response.writeHead(receiver.status).end(receiver.status < 300 ? "taken" : "no such hook");
      });
    });
    await new Promise<void>((listening) => receiver.server.listen(0, "127.0.0.1", listening));
    return receiver;
  }

  get url(): string {
    const { port } = this.server.address() as AddressInfo;
    return `http://127.0.0.1:${port}/hook`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((closed) => this.server.close(closed));
  }
}

/** Somebody who is signed in and sends alerts to a webhook channel of their own. */
export class Sender {
  private constructor(
    private readonly request: APIRequestContext,
    private readonly token: string,
  ) {}

  /** `request` is that of a page that is signed in. */
  static async to(request: APIRequestContext, name: string, target: string): Promise<Sender> {
    const { csrf_token } = await (await request.get("/api/v1/me")).json();
    const answer = await request.post("/api/v1/channels", {
      headers: { "X-CSRF-Token": csrf_token },
      data: { name, platform: "webhook", target },
    });
    if (!answer.ok()) throw new Error(`making the channel: ${answer.status()} ${await answer.text()}`);
    const { push_token } = await answer.json();
    return new Sender(request, push_token);
  }

  async send(alert: Record<string, string>): Promise<void> {
    const answer = await this.request.post(`/api/v1/push/${this.token}`, { data: alert });
    if (answer.status() !== 202) throw new Error(`sending: ${answer.status()} ${await answer.text()}`);
  }
}
