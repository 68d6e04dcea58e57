import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The server of a fake, on the loopback address. */
export class LoopbackServer {
  private readonly server: Server;

  /** @param failed hears what `handle` throws; absent: its connection ends */
  constructor(
    handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
    failed: (response: ServerResponse, error: unknown) => void = (response) => response.destroy(),
  ) {
    this.server = createServer((request, response) => {
      handle(request, response).catch((error: unknown) => {
        failed(response, error);
      });
    });
  }

  /** @param port 0: any free one */
  listen(port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(port, '127.0.0.1', resolve);
    });
  }

  /** Address without a path. */
  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Ends all connections. @param last what is done once no new ones are taken */
  async close(last?: () => void): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    last?.();
    this.server.closeAllConnections();
    await closed;
  }
}

/** The whole body of a request. */
export async function readAll(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}

/** Ends a connection as a network that fails does. */
export const cut = ({ req }: ServerResponse): void => {
  req.socket.resetAndDestroy();
};
