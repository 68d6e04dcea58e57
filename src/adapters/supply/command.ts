import { spawn } from 'node:child_process';

export interface CommandResult {
  code: number | null;
  stdout: string;
  stderr: string;
}

const KEEP_CHARS = 20_000;

/**
 * Runs a program to its end and gives what it printed (the last part of it, where that is long).
 * @throws the spawn error (`ENOENT` where there is no such program), or the signal's reason when it was aborted.
 */
export function runCommand(program: string, args: readonly string[], signal?: AbortSignal): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], ...(signal ? { signal } : {}) });
    const result: CommandResult = { code: null, stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      result.stdout = (result.stdout + text).slice(-KEEP_CHARS);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      result.stderr = (result.stderr + text).slice(-KEEP_CHARS);
    });
    child.once('error', (error) => reject(signal?.aborted ? (signal.reason as Error) : error));
    child.once('close', (code) => resolve({ ...result, code }));
  });
}
