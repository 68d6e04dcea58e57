import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { at, productNode, runsHere } from './paths.mjs';

const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP'];
const SERVERS = ['up', 'api', 'worker', 'mcp'];

/** True when npm started us: when it is killed without a chance to pass that on, we must notice by ourselves. */
const underNpm = () => process.env.npm_lifecycle_event !== undefined || process.env.npm_command === 'exec';

/** Runs the `dagi` command; a server ends with the process that started it for somebody. */
export function runDagi(args, { here = runsHere } = {}) {
  const guarded = SERVERS.includes(args[0]) && (underNpm() || !here);
  const parent = here ? process.ppid : process.pid;
  const all = guarded ? [args[0], `--exit-with-parent=${parent}`, ...args.slice(1)] : args;
  return runScript(at('dist', 'src', 'cli', 'main.js'), all, { here });
}

/** Runs a script under the product's Node: in this process where it is one, else in a child. */
export async function runScript(file, args, { here = runsHere } = {}) {
  if (!here) return runInChild([file, ...args]);
  process.argv = [process.execPath, resolve(file), ...args];
  await import(pathToFileURL(resolve(file)).href);
}

/** Runs a child in our place: same terminal, our signals, its exit code. */
function runInChild(args) {
  const child = spawn(productNode(), args, { stdio: 'inherit' });
  // A Ctrl-C reaches the child twice, from the terminal and from here; the product takes both as one.
  for (const signal of FORWARDED) process.on(signal, () => child.kill(signal));
  if (underNpm()) onOrphaned(() => child.kill('SIGTERM'));
  return new Promise((done, fail) => {
    child.once('error', fail);
    child.once('exit', (code, signal) => {
      process.exitCode = signal ? 128 + constants.signals[signal] : code;
      done();
    });
  });
}

function onOrphaned(action) {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    action();
  }, 1000);
  timer.unref();
}
