import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';

const SERVE = join(resolve(import.meta.dirname, '..'), 'fakes', 'serve-fake.mjs');

/**
 * A fake in a process of its own, so that its work is not measured as somebody else's and a kill of the product does
 * not touch its counters. `control`, `reset` and `stats` are of model endpoints; Telegram's is led by `connectTelegram(url)`.
 * @param {'openai' | 'ollama' | 'gpu-ollama' | 'telegram'} kind
 * @param {object} settings from the beginning
 */
export async function startFake(kind, settings = {}) {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', SERVE, kind, JSON.stringify(settings)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const url = await new Promise((done, fail) => {
    child.stdout.once('data', (text) => done(String(text).trim()));
    child.once('exit', (code) => fail(new Error(`the fake ${kind} ended with ${code}`)));
  });
  return {
    url,
    pid: child.pid,
    control: (settings) => fetch(`${url}/__control`, { method: 'POST', body: JSON.stringify({ settings }) }),
    reset: () => fetch(`${url}/__control`, { method: 'POST', body: JSON.stringify({ reset: true }) }),
    stats: async () => (await fetch(`${url}/__stats`)).json(),
    stop: async () => {
      child.kill();
      await new Promise((done) => child.once('exit', done));
    },
  };
}
