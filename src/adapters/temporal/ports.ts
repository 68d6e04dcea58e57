import { createServer, type AddressInfo } from 'node:net';
import { AppError } from '../../errors/app-error.js';

/** Every port that the development server listens on. */
export interface DevServerPorts {
  grpc: number;
  ui: number;
  http: number;
  metrics: number;
}

/** What the environment fixes; the rest is ours to choose. */
export interface PortWishes {
  grpc: number | undefined;
  ui: number | undefined;
}

const DEFAULT_GRPC = 7233;
const DEFAULT_UI = 8233;

/** Binds a port for a moment and gives its number. Port 0 finds a free one. */
function bind(port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ port, host, exclusive: true }, () => {
      const bound = (server.address() as AddressInfo).port;
      server.close(() => resolve(bound));
    });
  });
}

/** Why a port cannot be bound, for example `EADDRINUSE`; undefined if it can. */
export async function bindFailure(port: number, host = '127.0.0.1'): Promise<string | undefined> {
  try {
    await bind(port, host);
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}

/** A free port. */
export const freePort = (): Promise<number> => bind(0, '127.0.0.1');

/** Whether a port can be bound now. */
export const isFree = async (port: number): Promise<boolean> => (await bindFailure(port)) === undefined;

/**
 * Ports for a development server: those that are wished for, else the usual ones if they are free, else free ones.
 * All are chosen here, also the two that the CLI would pick by itself, so that a restart finds the same ones.
 * @throws AppError `SETUP_FAILED` that names the port and its variable, where a fixed one is busy.
 */
export async function choosePorts(wishes: PortWishes): Promise<DevServerPorts> {
  const grpc = await choose(wishes.grpc, DEFAULT_GRPC, 'TEMPORAL_PORT', []);
  const ui = await choose(wishes.ui, DEFAULT_UI, 'TEMPORAL_UI_PORT', [grpc]);
  const http = await findFree([grpc, ui]);
  const metrics = await findFree([grpc, ui, http]);
  return { grpc, ui, http, metrics };
}

async function choose(
  wish: number | undefined,
  usual: number,
  variable: string,
  taken: readonly number[],
): Promise<number> {
  if (wish !== undefined && wish !== 0) {
    const failure = taken.includes(wish) ? 'EADDRINUSE' : await bindFailure(wish);
    if (failure === undefined) return wish;
    const why = failure === 'EADDRINUSE' ? 'is in use: stop the program that holds it' : `cannot be used (${failure})`;
    throw new AppError(
      'SETUP_FAILED',
      `Port ${wish} (${variable}) ${why}, set ${variable} to another port, or unset it to use a free one.`,
    );
  }
  if (wish === undefined && !taken.includes(usual) && (await isFree(usual))) return usual;
  return findFree(taken);
}

async function findFree(taken: readonly number[]): Promise<number> {
  for (let tries = 0; tries < 20; tries += 1) {
    const port = await freePort();
    if (!taken.includes(port)) return port;
  }
  throw new AppError('SETUP_FAILED', 'This machine has no free port left: stop some programs and try again.');
}
