import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FILE_LIMITS, FREELY, openTestWorkspace, type TestWorkspace } from '../../../test/support/workspace.js';
import { hashOf } from './content.js';

/**
 * Exchanges what two names stand for, over and over. It tells when it has begun, and ends with its standard input. A
 * folder that a write made in the moment in which there was none is put aside.
 */
const SWAPPER = `
  const { renameSync } = require('node:fs');
  const [one, other] = process.argv.slice(1);
  process.stdin.on('end', () => process.exit(0)).resume();
  let strays = 0;
  const step = (from, to) => {
    try { renameSync(from, to); } catch {
      try { renameSync(to, to + '.' + (strays += 1)); renameSync(from, to); } catch {}
    }
  };
  const swap = () => {
    for (let n = 0; n < 50; n += 1) { step(one, one + '~'); step(other, one); step(one, other); step(one + '~', one); }
    setImmediate(swap);
  };
  swap();
  process.stdout.write('swapping');
`;
const ROUNDS = 400;
const AT_ONCE = 10;
/** How often each of both states must be met; on a busy machine the one who exchanges them comes to it more seldom. */
const ENOUGH = 50;
const MOST_ROUNDS = 1_000;

/** A link to outside takes the place of a folder or file, and gives it back, while tools are at work on it. */
describe('races on a workspace', () => {
  let test: TestWorkspace;
  let swapper: ChildProcess | undefined;

  beforeEach(async () => {
    test = await openTestWorkspace();
  });

  afterEach(async () => {
    if (swapper?.exitCode === null) {
      const ended = once(swapper, 'exit');
      swapper.stdin!.end();
      await ended;
    }
    test.close();
  });

  async function swap(one: string, other: string): Promise<void> {
    const child = spawn(process.execPath, ['-e', SWAPPER, one, other], { stdio: ['pipe', 'pipe', 'inherit'] });
    swapper = child;
    await once(child.stdout, 'data');
  }

  /** Runs actions many times over, until both states were met, some at once; what they gave, and the codes of their errors with how often. */
  async function often(actions: (() => Promise<unknown>)[]): Promise<{ given: string[]; codes: Map<string, number> }> {
    const given: string[] = [];
    const codes = new Map<string, number>();
    const attempt = async (action: () => Promise<unknown>): Promise<void> => {
      try {
        given.push(JSON.stringify(await action()));
      } catch (error) {
        const code = (error as { code?: string }).code ?? String(error);
        codes.set(code, (codes.get(code) ?? 0) + 1);
      }
    };
    const metBoth = (): boolean => given.length > ENOUGH && (codes.get('PATH_DENIED') ?? 0) > ENOUGH;
    for (let round = 0; round < ROUNDS / AT_ONCE || (!metBoth() && round < MOST_ROUNDS); round += 1) {
      const some = Array.from({ length: AT_ONCE }, () => actions).flat();
      await Promise.all(some.map(attempt));
    }
    return { given, codes };
  }

  const KNOWN = ['PATH_DENIED', 'FILE_NOT_FOUND', 'NOT_A_FILE', 'NOT_A_FOLDER', 'FILE_EXISTS', 'FILE_CHANGED'];

  function expectNothingLeft({ given, codes }: { given: string[]; codes: Map<string, number> }): void {
    expect(given.filter((answer) => answer.includes('SECRET') || answer.includes('secret'))).toEqual([]);
    expect(given.filter((answer) => answer.includes(hashOf(Buffer.from('SECRET\n'))))).toEqual([]);
    // Both states were met: else nothing was tested.
    expect(given.length).toBeGreaterThan(ENOUGH);
    expect(codes.get('PATH_DENIED') ?? 0).toBeGreaterThan(ENOUGH);
    expect([...codes.keys()].filter((code) => !KNOWN.includes(code))).toEqual([]);
  }

  it('leads nowhere while a folder becomes a link to outside', async () => {
    const { workspace } = test;
    mkdirSync(test.at('dir/deep'), { recursive: true });
    for (const folder of ['', 'deep']) writeFileSync(join(test.at('dir'), folder, 'file.txt'), 'inside\n');
    mkdirSync(join(test.outside, 'deep'));
    for (const folder of ['', 'deep']) writeFileSync(join(test.outside, folder, 'file.txt'), 'SECRET\n');
    symlinkSync(test.outside, test.at('link'));
    await swap(test.at('dir'), test.at('link'));
    let written = 0;
    const ends = await often([
      () => workspace.read({ path: 'dir/file.txt' }, FILE_LIMITS),
      () => workspace.read({ path: 'dir/deep/file.txt' }, FILE_LIMITS),
      () =>
        workspace.write({ path: `dir/deep/new/w${(written += 1) % 20}`, content: `${written}` }, FILE_LIMITS, FREELY),
      () => workspace.write({ path: `dir/c${written % 20}`, content: 'x', expected_hash: null }, FILE_LIMITS, FREELY),
      () => workspace.list({ path: 'dir', depth: 3 }),
      () => workspace.list({ depth: 5, glob: '*.txt' }),
      () => workspace.requireFolder('dir/deep'),
    ]);
    expectNothingLeft(ends);
    expect(readdirSync(test.outside, { recursive: true }).toSorted()).toEqual([
      ...['deep', 'deep/file.txt', 'file.txt', 'secret.txt'],
    ]);
    expect(readFileSync(join(test.outside, 'file.txt'), 'utf8')).toBe('SECRET\n');
  });

  it('leads nowhere while a file becomes a link to outside', async () => {
    const { workspace } = test;
    writeFileSync(test.at('file.txt'), 'inside\n');
    symlinkSync(join(test.outside, 'secret.txt'), test.at('link'));
    await swap(test.at('file.txt'), test.at('link'));
    const patch = '--- a/file.txt\n+++ b/file.txt\n@@ -1 +1 @@\n-SECRET\n+changed\n';
    const ends = await often([
      () => workspace.read({ path: 'file.txt' }, FILE_LIMITS),
      () => workspace.diff({ path: 'file.txt', content: '' }, FILE_LIMITS),
      () => workspace.list({}),
    ]);
    expectNothingLeft(ends);
    await Promise.allSettled(Array.from({ length: 100 }, () => workspace.patch({ patch }, FILE_LIMITS, FREELY)));
    // A write takes the place of the link itself: from then on there may be no link left to meet.
    const writes = Array.from({ length: 300 }, (_, at) =>
      workspace.write({ path: 'file.txt', content: `${at}` }, FILE_LIMITS, FREELY),
    );
    await Promise.allSettled(writes);
    expect(readdirSync(test.outside)).toEqual(['secret.txt']);
    expect(readFileSync(join(test.outside, 'secret.txt'), 'utf8')).toBe('SECRET\n');
  });
});
