import { createServer } from 'node:http';

/** A host that answers every call with recorded bytes, cut where it is told. */
export class ReplayHost {
  /** Packets of the next answers. */
  packets = [];
  bodies = [];

  constructor(type) {
    this.server = createServer((request, response) => {
      this.answer(request, response, type).catch(() => response.destroy());
    });
  }

  static async start(type) {
    const host = new ReplayHost(type);
    await new Promise((done) => host.server.listen(0, '127.0.0.1', done));
    host.url = `http://127.0.0.1:${host.server.address().port}`;
    return host;
  }

  async answer(request, response, type) {
    let body = '';
    for await (const part of request) body += part;
    this.bodies.push(JSON.parse(body));
    response.writeHead(200, { 'content-type': type });
    for (const packet of this.packets) {
      response.write(packet);
      // Each packet is on its way before the next.
      await new Promise((done) => setImmediate(done));
    }
    response.end();
  }

  async close() {
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }
}

/** The bytes in two packets, at every place where they can be cut. */
export const everyCut = (bytes) =>
  Array.from({ length: bytes.length - 1 }, (_, at) => [bytes.subarray(0, at + 1), bytes.subarray(at + 1)]);
