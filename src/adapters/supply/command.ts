import { spawn } from 'node:child_process';
import { processVariables } from '../../../config/env.js';

export interface CommandResult {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface CommandOptions {
  signal?: AbortSignal;
  /** Working folder; ours where absent. */
  cwd?: string;
  /** Variables beside those that every program gets. */
  variables?: Readonly<Record<string, string>>;
}

const KEEP_CHARS = 20_000;

/** What a program needs to find its way (mirror, proxy, certificates); the rest holds our keys. */
const PASSED_ON = /^(PATH|HOME|TMPDIR|LANG|PIP_.*|.*_proxy|.*_PROXY|SSL_CERT_.*|REQUESTS_CA_BUNDLE)$/;

/**
 * Runs a program to its end and gives what it printed (the last part of it, where that is long).
 * @throws the spawn error (`ENOENT` where there is no such program), or the signal's reason when it was aborted.
 */
export function runCommand(
  program: string,
  args: readonly string[],
  { variables, ...options }: CommandOptions = {},
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const env = { ...passedOn(), ...variables };
    const child = spawn(program, args, { ...options, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const result: CommandResult = { code: null, stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      result.stdout = (result.stdout + text).slice(-KEEP_CHARS);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      result.stderr = (result.stderr + text).slice(-KEEP_CHARS);
    });
    child.once('error', (error) => reject(options.signal?.aborted ? (options.signal.reason as Error) : error));
    child.once('close', (code) => resolve({ ...result, code }));
  });
}

const passedOn = (): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(processVariables()).filter(([name]) => PASSED_ON.test(name)));
