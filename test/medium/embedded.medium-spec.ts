import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { packagePath } from '../../config/paths.js';
import { openEmbedded } from '../../src/adapters/store/database.js';
import { KeysRepository } from '../../src/adapters/store/keys.repository.js';

const DIST = pathToFileURL(packagePath('dist', 'src/adapters/store/')).href;

/** A process that opens the database of a folder and writes numbered keys, each named on a line once it is committed. */
const WRITER = `
  const { openEmbedded } = await import('${DIST}database.js');
  const { KeysRepository } = await import('${DIST}keys.repository.js');
  const [home, run] = process.argv.slice(1);
  try {
    const database = await openEmbedded(home);
    await database.migrate();
    const keys = new KeysRepository(database);
    for (let at = 0; ; at += 1) {
      const id = run + '-' + at;
      const key = { id, hash: id, name: 'x'.repeat(2000), dao_id: null, principal: 'api:' + id, gateway: true };
      await keys.insert(database.all, { ...key, owner: 'platform' });
      console.log(id);
    }
  } catch (error) {
    console.log(error.code);
    process.exit(1);
  }
`;

describe('the embedded database', () => {
  let home: string;
  const children: ChildProcess[] = [];

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'dagi-test-home-'));
  });

  afterEach(async () => {
    for (const child of children.splice(0)) {
      const gone = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined;
      child.kill('SIGKILL');
      child.stdout?.destroy();
      await gone;
    }
    await rm(home, { recursive: true, force: true });
  });

  function startWriter(run: string): ChildProcess {
    const child = spawn(process.execPath, ['--input-type=module', '-e', WRITER, home, run], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    return child;
  }

  /** Kills a writer as soon as it has written so many keys. Gives the last one that it told of. */
  async function killAfter(count: number, run: string): Promise<string[]> {
    const child = startWriter(run);
    const written: string[] = [];
    for await (const line of createInterface({ input: child.stdout! })) {
      written.push(line);
      if (written.length === count) child.kill('SIGKILL');
    }
    return written;
  }

  it('should keep everything that was committed through kill -9, and be open to the next process at once', async () => {
    const told: string[] = [];
    for (const [run, count] of [3, 40, 17].entries()) told.push(...(await killAfter(count, `run${run}`)));
    expect(told.length).toBeGreaterThanOrEqual(60);

    const database = await openEmbedded(home);
    expect(await database.migrate()).toEqual([]);
    const kept = new Set(
      (await new KeysRepository(database).list(null, { after: '', limit: 1_000 })).map(({ id }) => id),
    );
    await database.close();
    expect(told.filter((id) => !kept.has(id))).toEqual([]);
  });

  it('should be refused to a second opener in the same process and in another', async () => {
    const database = await openEmbedded(home);
    await database.migrate();
    await expect(openEmbedded(home)).rejects.toMatchObject({ code: 'HOME_LOCKED' });
    const child = startWriter('second');
    const [line] = (await once(createInterface({ input: child.stdout! }), 'line')) as [string];
    expect(line).toBe('HOME_LOCKED');
    await database.ping();
    await database.close();
    const next = await openEmbedded(home);
    await next.close();
  });

  it('should be refused to us while another process has it', async () => {
    const child = startWriter('first');
    await once(createInterface({ input: child.stdout! }), 'line');
    await expect(openEmbedded(home)).rejects.toThrow(`Another process has ${home} open`);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await (await openEmbedded(home)).close();
  });
});
