import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { requireFolder } from './opened.js';
import { folderName, Workspaces } from './workspaces.js';

describe('Workspaces', () => {
  let home: string;

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'dagi-test-workspaces-'));
  });

  afterEach(() => rmSync(home, { recursive: true }));

  it('makes the folder of a DAO for its own user alone', async () => {
    const workspace = await new Workspaces(join(home, 'a/b')).of('greenfood-dao');
    expect(workspace.folder).toBe(join(home, 'a/b/greenfood-dao'));
    expect(statSync(workspace.folder).mode & 0o777).toBe(0o700);
    expect(await new Workspaces(join(home, 'a/b/')).of('greenfood-dao')).toMatchObject({ folder: workspace.folder });
  });

  it.each(['..', '.', '', 'A', 'a/b', '../x', '~x', 'a.b', 'x'.repeat(64), 'é'])(
    'gives the id %j a name that leads nowhere else',
    (id) => expect(folderName(id)).toMatch(/^~[0-9a-f]{64}$/),
  );

  it('refuses a root, and a workspace, that is a link', async () => {
    mkdirSync(join(home, 'elsewhere'));
    symlinkSync(join(home, 'elsewhere'), join(home, 'link'));
    await expect(new Workspaces(join(home, 'link/')).of('a')).rejects.toMatchObject({ code: 'TOOL_FAILED' });
    symlinkSync(join(home, 'elsewhere'), join(home, 'dao'));
    await expect(new Workspaces(home).of('dao')).rejects.toMatchObject({ code: 'TOOL_FAILED' });
  });

  it('has what was put in place of a workspace later seen by each call', async () => {
    const workspace = await new Workspaces(home).of('dao');
    rmSync(workspace.folder, { recursive: true });
    symlinkSync('/etc', workspace.folder);
    await expect(workspace.list({})).rejects.toMatchObject({ code: 'PATH_DENIED' });
    await expect(workspace.requireFolder('.')).rejects.toMatchObject({ code: 'PATH_DENIED' });
  });

  it('refuses what is mounted from another device', () => {
    const stats = { dev: 7, isDirectory: () => true, isSymbolicLink: () => false };
    expect(() => requireFolder(stats, 7, ['a'])).not.toThrow();
    expect(() => requireFolder(stats, 8, ['a'])).toThrow(expect.objectContaining({ code: 'PATH_DENIED' }));
  });
});
