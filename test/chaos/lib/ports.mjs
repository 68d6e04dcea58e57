import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

const LOWEST = 20_000;

/**
 * A port for a process that is killed and comes back to it: below those that the kernel hands to connections and to
 * everybody who asks for any port, so that nobody gets it while the process is away.
 */
export async function keptPort() {
  const highest = Math.max(LOWEST + 1_000, firstHandedOut() - 1);
  for (let tries = 0; tries < 50; tries += 1) {
    const port = LOWEST + Math.floor(Math.random() * (highest - LOWEST));
    if (given.has(port)) continue;
    given.add(port);
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port between ${LOWEST} and ${highest}`);
}

const given = new Set();

function firstHandedOut() {
  try {
    return Number(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split(/\s+/)[0]);
  } catch {
    return 32_768;
  }
}

const isFree = (port) =>
  new Promise((done) => {
    const server = createServer()
      .once('error', () => done(false))
      .listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => done(true)));
  });
