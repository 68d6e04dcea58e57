// Programs of others as child processes: started without our variables, ended, and what they and those below them use.
import { spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { usageOf } from './parties.mjs';

/**
 * None of our variables reach it; what it writes is kept for the message of a failure.
 * @param {{ variables?: object, input?: 'ignore' | 'pipe' }} [options]
 */
export function start(program, args, home, { variables = {}, input = 'ignore' } = {}) {
  const log = { stdio: [input, 'pipe', 'pipe'], cwd: home };
  const child = spawn(program, args, { ...log, env: { PATH: process.env.PATH, HOME: home, ...variables } });
  child.tail = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      child.tail = (child.tail + text).slice(-2_000);
    });
  }
  return child;
}

/** Ends a child, and removes its folder. */
export async function stopped(child, home) {
  if (child.exitCode === null && child.signalCode === null) {
    const gone = new Promise((done) => child.once('exit', done));
    child.kill('SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), 10_000);
    await gone;
    clearTimeout(late);
  }
  if (home) rmSync(home, { recursive: true, force: true });
}

/** What a process and those below it hold and have used: of a Temporal server, and of the rest. */
export function spentBy(pid) {
  const kind = read(`/proc/${pid}/comm`).startsWith('temporal') ? 'temporal' : 'own';
  const spent = { own: nothing(), temporal: nothing(), [kind]: usageOf(pid) };
  for (const child of read(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(spentBy)) {
    for (const of of ['own', 'temporal']) {
      spent[of].megabytes += child[of].megabytes;
      spent[of].cpuMs += child[of].cpuMs;
    }
  }
  return spent;
}

const nothing = () => ({ megabytes: 0, cpuMs: 0 });

const read = (path) => {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
};
