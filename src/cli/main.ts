import { CommanderError } from 'commander';
import { describeFailure } from './failure.js';
import { resolveEnv } from './options.js';
import { buildProgram } from './program.js';
import { written } from './written.js';

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

const code = await main(process.argv);
// A pipe takes 64 KiB at once.
await Promise.all([process.stdout, process.stderr].map(written));
// Native parts may keep handles open; all that had to be closed is closed by now.
process.exit(code);
