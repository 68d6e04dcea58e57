import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { HomeLock } from './lock.js';

/** Lets the child load the sources: their imports end in `.js`. */
const HOOKS = `import { registerHooks } from 'node:module';
registerHooks({
  resolve(specifier, context, next) {
    const source = specifier.startsWith('.') && context.parentURL?.endsWith('.ts');
    return next(source ? specifier.replace(/\\.js$/, '.ts') : specifier, context);
  },
});`;

const holder = (home: string): string => `
  const { HomeLock } = await import(${JSON.stringify(new URL('lock.ts', import.meta.url).href)});
  try {
    HomeLock.acquire(${JSON.stringify(home)});
    await new Promise(setImmediate);
    globalThis.gc(); // a lock nobody keeps a reference to must not go with the garbage
    process.send({ held: true });
    setInterval(() => undefined, 1_000);
  } catch ({ code, message }) {
    process.send({ held: false, code, message });
    process.disconnect();
  }`;

interface Report {
  held: boolean;
  code?: string;
  message?: string;
}

describe('HomeLock', () => {
  let home: string;
  const children: ChildProcess[] = [];

  /** Another process that tries to hold the lock, and says whether it does. */
  async function otherProcess(): Promise<{ child: ChildProcess; report: Report }> {
    const flags = [
      '--no-warnings',
      '--expose-gc',
      '--experimental-transform-types',
      '--import',
      `data:text/javascript,${encodeURIComponent(HOOKS)}`,
    ];
    const child = spawn(process.execPath, [...flags, '--input-type=module', '-e', holder(home)], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    children.push(child);
    const [report] = (await once(child, 'message')) as [Report];
    return { child, report };
  }

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'dagi-lock-'));
  });
  afterEach(async () => {
    for (const child of children.splice(0)) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    rmSync(home, { recursive: true, force: true });
  });

  it('refuses another process while it is held, and says what to do', async () => {
    const lock = HomeLock.acquire(home);
    const { report } = await otherProcess();
    lock.release();
    expect(report).toMatchObject({ held: false, code: 'HOME_LOCKED' });
    expect(report.message).toContain(home);
    expect(report.message).toContain('--home');
  });

  it('is refused while another process holds it', async () => {
    const { report } = await otherProcess();
    expect(report).toEqual({ held: true });
    expect(() => HomeLock.acquire(home)).toThrow(expect.objectContaining({ code: 'HOME_LOCKED' }));
  });

  it('is free again after the process that held it was killed', async () => {
    const { child } = await otherProcess();
    child.kill('SIGKILL');
    await once(child, 'exit');
    HomeLock.acquire(home).release();
  });

  it('is free for another process after it was released', async () => {
    const lock = HomeLock.acquire(home);
    lock.release();
    lock.release();
    expect((await otherProcess()).report).toEqual({ held: true });
  });

  it('refuses a second holder in the same process', () => {
    const lock = HomeLock.acquire(home);
    expect(() => HomeLock.acquire(home)).toThrow(expect.objectContaining({ code: 'HOME_LOCKED' }));
    lock.release();
  });

  it('holds each folder by itself', () => {
    const other = join(home, 'other');
    mkdirSync(other);
    const locks = [HomeLock.acquire(home), HomeLock.acquire(other)];
    for (const lock of locks) lock.release();
  });

  it('does not blame another process for a lock file that is damaged', () => {
    writeFileSync(join(home, 'db.lock'), 'no lock file at all '.repeat(100));
    expect(() => HomeLock.acquire(home)).toThrow(
      expect.objectContaining({
        code: 'SETUP_FAILED',
        message: expect.stringContaining(join(home, 'db.lock')),
      }),
    );
  });

  it('names the folder that is not there', () => {
    const missing = join(home, 'missing');
    expect(() => HomeLock.acquire(missing)).toThrow(
      expect.objectContaining({ code: 'SETUP_FAILED', message: expect.stringContaining(missing) }),
    );
  });
});
