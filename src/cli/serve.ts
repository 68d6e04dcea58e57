import type { Env } from '../../config/env.js';
import { loadConfig } from '../../config/loader.js';
import { ConsoleReporter } from '../adapters/supply/reporter.js';
import { requireAdminKey } from '../admin-key.js';
import { QUEUES } from '../contracts/ids.js';
import { AppError } from '../errors/app-error.js';
import type { Runtime } from '../runtime.js';
import { botLines, printedBots } from './bot-lines.js';
import { prepareHome } from './home.js';
import { requireAddress, requireMcpAddress } from './listen-address.js';
import { openProcess } from './open-process.js';
import { obtainParts } from './parts.js';
import { Shutdown } from './shutdown.js';
import { Steps } from './steps.js';
import { keyRemark, pendingLines } from './summary.js';

type Parent = number | true | undefined;

/** What one kind of process does once it is open; gives what it is, for people. */
interface Role {
  command: 'api' | 'worker' | 'mcp';
  queues: readonly string[];
  /** What must be there before anything is fetched or opened. */
  prepare?(): Promise<void>;
  start(runtime: Runtime): Promise<string>;
}

/** `dagi api`: HTTP and the worker that shares its connection, as a process of its own. */
export function serveApi(env: Env, exitWithParent: Parent): Promise<void> {
  const prepare = async (): Promise<void> => {
    requireAdminKey(env, loadConfig(env).profile.environment);
    await prepareHome(env.home);
    await requireAddress(env);
  };
  const queues = [QUEUES.orchestrator, QUEUES.dialogs];
  const start = async (runtime: Runtime): Promise<string> => {
    runtime.startWorkers(queues);
    const { url, admin } = await runtime.startApi({ host: env.HOST, port: env.PORT });
    const bots = printedBots(await botLines(env, runtime.telegramStanding()));
    return `${keyRemark(admin)}${bots}${pendingLines(runtime.configOverview())
      .map((line) => `${line}\n`)
      .join('')}API on ${url}`;
  };
  return serve({ command: 'api', queues, prepare, start }, env, exitWithParent);
}

/** `dagi mcp`: the MCP server, as a process of its own; several may serve beside each other. */
export function serveMcp(env: Env, exitWithParent: Parent): Promise<void> {
  const prepare = (): Promise<void> => requireMcpAddress(env, '--port');
  const start = async (runtime: Runtime): Promise<string> =>
    `MCP on ${await runtime.startMcp({ host: env.HOST, port: env.MCP_PORT })}`;
  return serve({ command: 'mcp', queues: [], prepare, start }, env, exitWithParent);
}

/** `dagi worker`: workers of the named queues, as a process of their own. */
export function serveWorker(env: Env, queues: readonly string[], exitWithParent: Parent): Promise<void> {
  const start = (runtime: Runtime): Promise<string> => {
    runtime.startWorkers(queues);
    return Promise.resolve(`worker of ${queues.join(', ')}`);
  };
  return serve({ command: 'worker', queues, start }, env, exitWithParent);
}

/** Standard output carries the log of such a process, so what is meant for people goes to standard error. */
async function serve(role: Role, env: Env, exitWithParent: Parent): Promise<void> {
  const temporalAddress = requireServices(role.command, env);
  await role.prepare?.();
  const out = process.stderr;
  const shutdown = new Shutdown({ exitWithParent, onForce: () => process.exit(130) });
  const modelPath = await findModel(role, env);
  const runtime = await openProcess(env, { temporalAddress, modelPath, process: role.command });
  try {
    const started = role.start(runtime).then((what) => out.write(`${what}. Ctrl-C stops it.\n`));
    await Promise.race([started, shutdown.requested()]);
    await shutdown.requested();
    out.write(`draining (${shutdown.reason})…\n`);
  } finally {
    await runtime.close();
    shutdown.dispose();
  }
  out.write('done\n');
}

/** The embedded model answers on the workflows' own queue; other workers need no weights. */
async function findModel({ queues }: Role, env: Env): Promise<string | undefined> {
  if (!queues.includes(QUEUES.orchestrator)) return undefined;
  const { modelPath } = await obtainParts(env, new Steps(process.stderr), new ConsoleReporter(process.stderr));
  return modelPath;
}

/** Separate processes share their state through services; the embedded parts belong to one process. */
function requireServices(command: string, env: Env): string {
  const missing = [
    ...(env.DATABASE_URL === undefined ? ['DATABASE_URL'] : []),
    ...(env.TEMPORAL_ADDRESS === undefined ? ['TEMPORAL_ADDRESS'] : []),
  ];
  if (env.TEMPORAL_ADDRESS === undefined || missing.length > 0) {
    throw new AppError(
      'CONFIG_INVALID',
      `"npx dagi ${command}" is one of several processes and needs real services: set ${missing.join(' and ')}, or run "npx dagi up", which brings its own.`,
    );
  }
  return env.TEMPORAL_ADDRESS;
}
