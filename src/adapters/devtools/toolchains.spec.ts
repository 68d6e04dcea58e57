import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Toolchains, type AskHost } from './toolchains.js';

const python = (prefix: string, basePrefix = prefix, hasPytest = true): string =>
  JSON.stringify([`${prefix}/bin/python3`, prefix, basePrefix, '3.12.1', hasPytest]);

describe(Toolchains.name, () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dagi-toolchains-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('should offer the Node that runs us, by its file alone', async () => {
    const { mounts, path } = await new Toolchains().node();
    expect(mounts).toEqual([{ source: process.execPath, target: process.execPath }]);
    expect(path).toEqual([dirname(process.execPath)]);
  });

  it('should offer Python where it really is, and an environment with what it is made of', async () => {
    const found = await new Toolchains(async () => python('/opt/env', '/opt/python', false)).python();
    expect(found).toMatchObject({
      executable: '/opt/env/bin/python3',
      hasPytest: false,
      version: 'Python 3.12.1',
      mounts: [
        { source: '/opt/python', target: '/opt/python' },
        { source: '/opt/env', target: '/opt/env' },
      ],
    });
  });

  it('should mount nothing for a Python in /usr', async () => {
    expect(await new Toolchains(async () => python('/usr')).python()).toMatchObject({ mounts: [] });
    expect(await new Toolchains(async () => python('/usr/local')).python()).toMatchObject({ mounts: [] });
  });

  it.each([homedir(), '/home', '/', '/root', ''])('should show no program the folder %j', async (prefix) => {
    const toolchains = new Toolchains(async () => python(prefix));
    await expect(toolchains.python()).rejects.toMatchObject({ code: 'TOOL_MISSING' });
  });

  it('should offer Go without a network', async () => {
    const asked: string[] = [];
    const toolchains = new Toolchains(async (program, args) => {
      asked.push([program, ...args].join(' '));
      return '/opt/go\ngo1.26.8';
    });
    const found = await toolchains.go();
    expect(found).toMatchObject({ path: ['/opt/go/bin'], env: { GOPROXY: 'off' }, version: 'Go 1.26.8' });
    expect(asked).toEqual(['go env GOROOT GOVERSION']);
  });

  it("should offer cargo out of rustc's folder, and none where there is none", async () => {
    const ask: AskHost = async (_, args) => (args[0] === '--print' ? folder : 'rustc 1.95.0');
    await expect(new Toolchains(ask).rust()).rejects.toMatchObject({ code: 'TOOL_MISSING' });
    await mkdir(join(folder, 'bin'));
    await writeFile(join(folder, 'bin', 'cargo'), '');
    expect(await new Toolchains(ask).rust()).toMatchObject({
      path: [join(folder, 'bin')],
      mounts: [{ source: folder, target: folder }],
      version: 'rustc 1.95.0',
    });
  });

  it('should ask once for what was found, and again for what was not', async () => {
    let asked = 0;
    const toolchains = new Toolchains(async () => {
      asked += 1;
      if (asked === 1) throw new Error('spawn python3 ENOENT');
      return python('/usr');
    });
    await expect(toolchains.python()).rejects.toMatchObject({
      code: 'TOOL_MISSING',
      message: 'Python 3 was not found on this machine: install python3.',
    });
    await Promise.all([toolchains.python(), toolchains.python()]);
    await toolchains.python();
    expect(asked).toBe(2);
  });

  it('should ask a program of this host by its name, and hear when it fails', async () => {
    const program = join(folder, 'go');
    await writeFile(program, '#!/bin/sh\npwd\nexit 3\n');
    await chmod(program, 0o755);
    const before = process.env.PATH;
    process.env.PATH = folder;
    try {
      await expect(new Toolchains().go()).rejects.toMatchObject({ code: 'TOOL_MISSING' });
      await expect(new Toolchains().rust()).rejects.toMatchObject({ code: 'TOOL_MISSING' });
    } finally {
      process.env.PATH = before;
    }
  });

  it('should offer the ripgrep of our packages', async () => {
    const { executable, mounts } = await new Toolchains().ripgrep();
    expect(executable).toMatch(/ripgrep.*\/bin\/rg$/);
    expect(mounts).toEqual([{ source: executable, target: executable }]);
  });
});
