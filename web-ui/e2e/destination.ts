// Where alerts go in a journey: a webhook of our own.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

export class Destination {
  /** The bodies that have arrived. */
  readonly received: string[] = [];

  private constructor(private readonly server: Server) {
    server.on("request", (request, response) => {
      let body = "";
      request.on("data", (chunk: Buffer) => {
        body += chunk.toString();
      });
      request.on("end", () => {
        this.received.push(body);
        response.end("ok");
      });
    });
  }

  static async start(): Promise<Destination> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new Destination(server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/alerts`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
