// Where alerts go in a journey: a webhook of its own.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** Takes what a webhook channel sends, and answers with `status`. */
export class Receiver {
  status = 200;
  /** The bodies that have arrived. */
  readonly bodies: string[] = [];

  private constructor(private readonly server: Server) {
    server.on("request", (request, response) => {
      let body = "";
      request.on("data", (chunk: Buffer) => {
        body += chunk.toString();
      });
      request.on("end", () => {
        this.bodies.push(body);
        response.writeHead(this.status).end(this.status < 300 ? "taken" : "no such hook");
      });
    });
  }

  static async start(): Promise<Receiver> {
    const server = createServer();
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    return new Receiver(server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/hook`;
  }

  /** How many bodies have these words in them. */
  count(words: string): number {
    return this.bodies.filter((body) => body.includes(words)).length;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((closed) => this.server.close(closed));
  }
}
