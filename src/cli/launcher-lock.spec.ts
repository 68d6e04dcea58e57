import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { packagePath } from '../../config/paths.js';

const run = promisify(execFile);

/** The launcher is no part of the build, so its lock is tried in a process of its own. */
describe("the launcher's lock", () => {
  let folder: string;
  let file: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'dagi-lock-'));
    file = join(folder, 'launch.lock');
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  /** What a launcher prints that wants the lock; it is ended after a while. */
  async function launch(before = ''): Promise<string> {
    const script = `
      import { writeFileSync } from 'node:fs';
      import { withLock } from ${JSON.stringify(packagePath('scripts', 'launch', 'lock.mjs'))};
      ${before}
      setTimeout(() => process.exit(0), 3_000).unref();
      await withLock(${JSON.stringify(file)}, () => console.log('taken'));`;
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script]);
    return stdout;
  }

  it('should be taken over from a launcher that never wrote its number', async () => {
    writeFileSync(file, '');
    const past = Date.now() / 1_000 - 2;
    utimesSync(file, past, past);
    await expect(launch()).resolves.toBe('taken\n');
  });

  it('should be taken over from a launcher that had the number of this one', async () => {
    await expect(launch(`writeFileSync(${JSON.stringify(file)}, String(process.pid));`)).resolves.toBe('taken\n');
  });

  it('should be waited for while its holder lives, with a word about it after a while', async () => {
    writeFileSync(file, String(process.pid));
    await expect(launch()).resolves.toMatch(
      new RegExp(`^Waiting for another launcher \\(process ${process.pid}\\).*delete ${file}\n$`),
    );
  });
});
