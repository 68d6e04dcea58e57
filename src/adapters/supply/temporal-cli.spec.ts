import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { findOnPath } from './temporal-cli.js';

describe(findOnPath.name, () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'dagi-path-'));
    mkdirSync(join(folder, 'bin'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  const install = (version: string): void => {
    const script = `#!/bin/sh\necho 'temporal version ${version} (Server 1.32.0, UI 2.54.1)'\n`;
    writeFileSync(join(folder, 'bin', 'temporal'), script, { mode: 0o755 });
  };

  it.each(['whole', 'relative'])(
    'should give the whole path of the program, found through a %s entry',
    async (kind) => {
      install('1.9.3');
      const entry = join(folder, 'bin');
      const path = ['/no/such/folder', kind === 'whole' ? entry : relative(process.cwd(), entry)].join(delimiter);
      await expect(findOnPath(path)).resolves.toEqual({
        path: join(folder, 'bin', 'temporal'),
        serverVersion: '1.32.0',
        origin: 'PATH',
      });
    },
  );

  it('should pass over what cannot be executed', async () => {
    install('1.9.3');
    chmodSync(join(folder, 'bin', 'temporal'), 0o644);
    await expect(findOnPath(join(folder, 'bin'))).resolves.toBeUndefined();
  });

  it('should pass over another version', async () => {
    install('1.8.0');
    await expect(findOnPath(join(folder, 'bin'))).resolves.toBeUndefined();
  });
});
