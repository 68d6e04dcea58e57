import type { Command } from 'commander';
import { parsePort, resolveEnv, type Overrides } from './options.js';
import { parseParent } from './shutdown.js';

interface ServerOptions extends Overrides {
  exitWithParent?: string | true;
}

const parentOf = ({ exitWithParent }: ServerOptions): number | true | undefined =>
  exitWithParent === undefined ? undefined : parseParent(exitWithParent);

/** `up`, `api` and `worker`. Their code is loaded only when it is asked for. */
export function addServerCommands(program: Command): void {
  addUp(program);
  addApi(program);
  addWorker(program);
}

const withCommon = (command: Command): Command =>
  command
    .option('--profile <name>', 'routing profile, or a file (DAGI_PROFILE)')
    .option('--home <dir>', 'state folder (DAGI_HOME)')
    .option('--exit-with-parent [pid]', 'stop when the process that started this one ends');

function addUp(program: Command): void {
  withCommon(program.command('up'))
    .description('start everything on this machine; Ctrl-C drains and stops it')
    .option('--port <port>', 'port of the API (PORT)', parsePort)
    .option('--mcp-port <port>', 'port of the MCP server (MCP_PORT)', parsePort)
    .option('--no-first-question', 'do not ask a first question')
    .addHelpText('after', '\nExamples:\n  $ npx dagi up\n  $ npx dagi up --home /srv/dagi --port 9112 --profile dev')
    .action(async (options: ServerOptions & { firstQuestion: boolean }) => {
      const { up } = await import('./up.js');
      await up(resolveEnv(options), { exitWithParent: parentOf(options), firstQuestion: options.firstQuestion });
    });
}

function addApi(program: Command): void {
  withCommon(program.command('api'))
    .description('the API alone; needs DATABASE_URL and TEMPORAL_ADDRESS')
    .option('--port <port>', 'port of the API (PORT)', parsePort)
    .addHelpText('after', '\nExample:\n  $ DATABASE_URL=postgres://… TEMPORAL_ADDRESS=host:7233 dagi api --port 9102')
    .action(async (options: ServerOptions) => {
      const { serveApi } = await import('./serve.js');
      await serveApi(resolveEnv(options), parentOf(options));
    });
}

function addWorker(program: Command): void {
  withCommon(program.command('worker'))
    .description('workers alone; needs DATABASE_URL and TEMPORAL_ADDRESS')
    .requiredOption('--queue <name...>', 'task queues to work on: orchestrator, llm-ollama, devtools')
    .addHelpText(
      'after',
      '\nExample:\n  $ DATABASE_URL=postgres://… TEMPORAL_ADDRESS=host:7233 dagi worker --queue llm-ollama',
    )
    .action(async (options: ServerOptions & { queue: string[] }) => {
      const { serveWorker } = await import('./serve.js');
      await serveWorker(resolveEnv(options), options.queue, parentOf(options));
    });
}
