import type { DagiClient } from './client.js';
import { CrewProgressPrinter } from './crew-progress.js';
import { followRun } from './crew-run.js';

/** As a shell tells that Ctrl-C ended a command. */
const INTERRUPTED = 130;

/**
 * Follows a run for as long as the user wants to, and tells who works on what.
 * @returns the answer that tells how the run stands at its end, or as it waits; undefined: the user left, and it goes on
 * @throws CliError `STREAM_INTERRUPTED`
 */
export async function watchRun(client: DagiClient, id: string, { as }: { as?: string }): Promise<unknown> {
  process.stderr.write(`run ${id}\n`);
  const progress = new CrewProgressPrinter(process.stderr);
  const leave = new AbortController();
  const interrupt = (): void => {
    leave.abort();
  };
  process.once('SIGINT', interrupt);
  try {
    return await followRun(client, id, { hear: progress.hear, signal: leave.signal, as });
  } catch (error) {
    if (!leave.signal.aborted) throw error;
    progress.end();
    process.stderr.write(`The run goes on. See it: npx dagi crew show ${id}; end it: npx dagi crew cancel ${id}\n`);
    process.exitCode = INTERRUPTED;
    return undefined;
  } finally {
    progress.end();
    process.off('SIGINT', interrupt);
  }
}
