import { createServer } from 'node:net';
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

/** Binds a port for a moment and gives its number, or undefined if it is taken. Port 0 finds a free one. */
export function tryBind(port: number, host = '127.0.0.1'): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(undefined);
      else reject(error);
    });
    server.listen({ port, host, exclusive: true }, () => {
      const address = server.address();
      const bound = typeof address === 'object' && address !== null ? address.port : undefined;
      server.close(() => resolve(bound));
    });
  });
}

/** Whether a port can be bound now. */
export const isFree = async (port: number): Promise<boolean> => (await tryBind(port)) !== undefined;

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
    if (!taken.includes(wish) && (await isFree(wish))) return wish;
    throw new AppError(
      'SETUP_FAILED',
      `Port ${wish} (${variable}) is in use: stop the program that holds it, set ${variable} to another port, or unset it to use a free one.`,
    );
  }
  if (wish === undefined && !taken.includes(usual) && (await isFree(usual))) return usual;
  return findFree(taken);
}

async function findFree(taken: readonly number[]): Promise<number> {
  for (let tries = 0; tries < 20; tries += 1) {
    const port = await tryBind(0);
    if (port !== undefined && !taken.includes(port)) return port;
  }
  throw new AppError('SETUP_FAILED', 'This machine has no free port left: stop some programs and try again.');
}
