import { Argument, type Command } from 'commander';
import { CLIENTS, type ClientName } from './mcp-clients.js';
import type { InstallOptions } from './mcp-install.js';
import { parsePort, resolveEnv, type Overrides } from './options.js';
import { parseParent } from './shutdown.js';

interface McpOptions extends Overrides {
  stdio?: boolean;
  url?: string;
  dao?: string;
  as?: string;
  exitWithParent?: string | true;
}

const EXAMPLES = `
Examples:
  $ DATABASE_URL=postgres://… TEMPORAL_ADDRESS=host:7233 dagi mcp --port 9400
  $ npx dagi mcp --stdio --home /srv/dagi        what clients start: a bridge to the instance that runs there
  $ npx dagi mcp install claude-desktop          writes that into the client's file

"npx dagi up" serves MCP, too. With --stdio, of .env files none is read: DAGI_HOME, DAGI_MCP_URL and DAGI_API_KEY come from
the client's file, or from options.`;

const INSTALL_EXAMPLES = `
Examples:
  $ npx dagi mcp install cursor
  $ npx dagi mcp install claude-desktop --dao greenfood-dao --as tg:12345
  $ npx dagi mcp install vscode --http --url https://dagi.example.org/mcp

What else is in the file stays as it is; the former file is kept beside it, with .bak at its end. Secrets are never written:
the bridge reads the key of the home folder, and with --http the client asks for it, or takes DAGI_API_KEY from its
environment.`;

/** Adds `dagi mcp`: the server, the bridge, and what tells clients of it. */
export function addMcpCommands(program: Command): void {
  const mcp = program
    .command('mcp')
    .description(
      'the MCP server alone (needs DATABASE_URL and TEMPORAL_ADDRESS); with --stdio a bridge to a running one',
    )
    .enablePositionalOptions()
    .option('--stdio', 'speak over standard input and output with a client that started this')
    .option('--url <url>', 'with --stdio: address of the MCP server (DAGI_MCP_URL)')
    .option('--dao <id>', 'with --stdio: DAO to act in')
    .option('--as <user>', 'with --stdio: user to act as, for example tg:12345')
    .option('--port <port>', 'port of the MCP server (MCP_PORT)', parsePort)
    .option('--profile <name>', 'routing profile, or a file (DAGI_PROFILE)')
    .option('--home <dir>', 'state folder (DAGI_HOME)')
    .option('--exit-with-parent [pid]', 'stop when the process that started this one ends')
    .addHelpText('after', EXAMPLES)
    .action(async ({ stdio, url, dao, as: user, exitWithParent, port, ...options }: McpOptions) => {
      if (stdio) {
        const { serveStdio } = await import('./mcp-stdio.js');
        await serveStdio({ url, dao, user, home: options.home });
        return;
      }
      const { serveMcp } = await import('./serve.js');
      const env = resolveEnv({ ...options, ...(port !== undefined && { mcpPort: port }) });
      await serveMcp(env, exitWithParent === undefined ? undefined : parseParent(exitWithParent));
    });
  addInstall(mcp);
}

function addInstall(mcp: Command): void {
  mcp
    .command('install')
    .description('write this server into the configuration file of a client')
    .addArgument(new Argument('<client>', 'which client').choices(CLIENTS))
    .option('--http', 'by address, in place of the bridge over standard input and output')
    .option('--url <url>', 'address of the MCP server (DAGI_MCP_URL; default: the one that runs here)')
    .option('--dao <id>', 'DAO to act in')
    .option('--as <user>', 'user to act as, for example tg:12345')
    .option('--home <dir>', 'state folder of the instance (DAGI_HOME)')
    .option('--name <name>', 'name of the server in the file', 'dagi-stack')
    .option('--file <file>', 'another file than the client’s own')
    .option('--print', 'print what would be written, and write nothing')
    .addHelpText('after', INSTALL_EXAMPLES)
    .action(async (client: ClientName, options: InstallOptions) => {
      const { install } = await import('./mcp-install.js');
      process.stdout.write(
        await install(client, options, resolveEnv(options.home === undefined ? {} : { home: options.home })),
      );
    });
}
