import { Command, CommanderError } from 'commander';
import { packageVersion } from '../../config/paths.js';
import { addClientCommands } from './commands-client.js';
import { addConfigCommands } from './commands-config.js';
import { addServerCommands } from './commands-server.js';
import { addWhatIfCommand } from './commands-whatif.js';
import { describeFailure } from './failure.js';
import { resolveEnv } from './options.js';
import { addProvidersCommand } from './providers.js';
import { addUsageCommand } from './usage.js';

const EXAMPLES = `
Examples:
  $ npm run up                                   everything, on this machine
  $ npx dagi chat "What is this DAO about?"      one question
  $ npx dagi chat --as tg:12345                  a conversation, as a member
  $ npx dagi route '{"prompt":"Hello"}'          the whole answer as JSON
  $ npx dagi doctor                              what is wrong, and the remedy

Commands find the running instance through DAGI_HOME (./var), or through DAGI_URL and DAGI_API_KEY.`;

function buildProgram(): Command {
  const program = new Command('dagi')
    .description('DAGI Stack: durable, role-checked, recorded answers for small DAOs')
    .version(packageVersion())
    .addHelpText('after', EXAMPLES)
    .showHelpAfterError('(add --help for what is possible)')
    .exitOverride();
  addServerCommands(program);
  addClientCommands(program);
  addProvidersCommand(program);
  addUsageCommand(program);
  addConfigCommands(program);
  addWhatIfCommand(program);
  return program;
}

function isDebugging(): boolean {
  try {
    const level = resolveEnv().DAGI_LOG_LEVEL;
    return level === 'debug' || level === 'trace';
  } catch {
    // The environment itself is what is wrong, and its error says so.
    return false;
  }
}

async function main(argv: string[]): Promise<number> {
  try {
    await buildProgram().parseAsync(argv);
    return Number(process.exitCode ?? 0);
  } catch (error) {
    // Commander has told it already: help was asked for, or an argument is wrong.
    if (error instanceof CommanderError) return error.exitCode;
    process.stderr.write(`${describeFailure(error, isDebugging())}\n`);
    return 1;
  }
}

// Whatever we and our children write is for this user alone.
process.umask(0o077);

// A reader that went away (`| head`) is no reason to fall over; whoever serves goes on serving.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

// Native parts may keep handles open; all that had to be closed is closed by now.
process.exit(await main(process.argv));
