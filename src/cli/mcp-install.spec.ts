import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync, existsSync, lstatSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CLIENT, CLIENTS, type ClientName, type Place } from './mcp-clients.js';
import { install, type InstallOptions } from './mcp-install.js';

describe(install, () => {
  let folder: string;
  let place: Place;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'dagi-install-'));
    place = { platform: 'linux', home: folder, folder };
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  const run = (client: ClientName, options: Partial<InstallOptions> = {}): Promise<string> =>
    install(client, { name: 'dagi-stack', ...options }, { home: join(folder, 'var'), MCP_PORT: 9400 }, place);
  const file = (client: ClientName): string => CLIENT[client].file(place);
  const text = (client: ClientName): string => readFileSync(file(client), 'utf8');
  const entry = (client: ClientName): Record<string, unknown> =>
    (JSON.parse(text(client)) as Record<string, Record<string, Record<string, unknown>>>)[CLIENT[client].servers]?.[
      'dagi-stack'
    ] ?? {};

  it.each(CLIENTS)('should write the bridge for %s, once', async (client) => {
    const said = await run(client, { dao: 'green', as: 'tg:1' });
    expect(said).toContain(file(client));
    expect(said).toContain('into a new file');
    const { command, args, env } = entry(client);
    expect(command).toBe(process.execPath);
    expect(args).toEqual([
      expect.stringMatching(/^\/.*dagi\.mjs$/),
      'mcp',
      '--stdio',
      '--dao',
      'green',
      '--as',
      'tg:1',
    ]);
    expect(env).toEqual({ DAGI_HOME: join(folder, 'var') });
    const before = text(client);
    expect(await run(client, { dao: 'green', as: 'tg:1' })).toContain('nothing is written');
    expect(text(client)).toBe(before);
    expect(existsSync(`${file(client)}.bak`)).toBe(false);
  });

  it('should give addresses, with the key in each client’s own way', async () => {
    const url = 'https://dagi.example.org/mcp';
    for (const client of ['claude-code', 'cursor', 'vscode'] as const) await run(client, { http: true, url, dao: 'a' });
    const headers = (key: string): object => ({ Authorization: `Bearer ${key}`, 'x-dagi-dao': 'a' });
    expect(entry('claude-code')).toEqual({ type: 'http', url, headers: headers('${DAGI_API_KEY}') });
    expect(entry('cursor')).toEqual({ url, headers: headers('${env:DAGI_API_KEY}') });
    expect(entry('vscode')).toEqual({ type: 'http', url, headers: headers('${input:dagi-api-key}') });
    expect(JSON.parse(text('vscode'))).toMatchObject({
      inputs: [{ type: 'promptString', id: 'dagi-api-key', password: true }],
    });
    await expect(run('claude-desktop', { http: true })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });

  it('should have the bridge to another machine take its key from the client', async () => {
    const url = 'https://dagi.example.org/mcp';
    expect(await run('cursor', { url })).toContain('DAGI_API_KEY');
    expect(entry('cursor').args).toEqual(expect.arrayContaining(['--url', url]));
    expect(entry('cursor').env).toMatchObject({ DAGI_API_KEY: '${env:DAGI_API_KEY}' });
    expect(await run('claude-desktop', { url })).toContain('which you write yourself');
  });

  it('should keep comments, order, marks and other servers, and the former file', async () => {
    const target = join(folder, 'servers.json');
    const before =
      '\uFEFF// mine\r\n{\r\n\t"inputs": [{ "id": "other" }], // asked\r\n\t"servers": {\r\n\t\t"z": { "command": "z" },\r\n\t},\r\n}\r\n';
    writeFileSync(target, before);
    const said = await run('vscode', { file: target, http: true, url: 'http://127.0.0.1:1/mcp' });
    const after = readFileSync(target, 'utf8');
    expect(said).toContain(`${target}.bak`);
    expect(readFileSync(`${target}.bak`, 'utf8')).toBe(before);
    expect(after).toMatch(/^\uFEFF\/\/ mine\r\n\{\r\n\t"inputs": \[/);
    expect(after).toContain('// asked\r\n');
    expect(after).toMatch(/"z": \{\s+"command": "z"\s+\}/);
    expect(after).toContain('"other"');
    expect(after.replaceAll('\r\n', '')).not.toContain('\n');
    expect(await run('vscode', { file: target, http: true, url: 'http://127.0.0.1:1/mcp' })).toContain(
      'nothing is written',
    );
    await run('vscode', { file: target, http: true, url: 'http://127.0.0.1:2/mcp' });
    expect(readFileSync(target, 'utf8').match(/dagi-api-key"/g)).toHaveLength(1);
    expect(readFileSync(target, 'utf8').match(/"dagi-stack"/g)).toHaveLength(1);
  });

  it('should leave a broken file alone', async () => {
    const target = join(folder, 'broken.json');
    for (const broken of ['{ "mcpServers": {', '[]', '{ "mcpServers": [] }']) {
      writeFileSync(target, broken);
      await expect(run('cursor', { file: target })).rejects.toMatchObject({
        code: 'FILE_BROKEN',
        message: expect.stringContaining('left as it is'),
      });
      expect(readFileSync(target, 'utf8')).toBe(broken);
      expect(existsSync(`${target}.bak`)).toBe(false);
    }
  });

  it('should write through a link, into an empty file, and print without writing', async () => {
    const [real, link] = [join(folder, 'real.json'), join(folder, 'link.json')];
    writeFileSync(real, '');
    symlinkSync(real, link);
    await run('cursor', { file: link });
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(readFileSync(real, 'utf8')).toContain('"dagi-stack"');
    expect(JSON.parse(await run('claude-desktop', { print: true }))).toMatchObject({
      mcpServers: { 'dagi-stack': {} },
    });
    expect(existsSync(file('claude-desktop'))).toBe(false);
  });

  it('should put the former file in the place of a link, and leave alone what the link leads to', async () => {
    const target = join(folder, 'of-somebody');
    writeFileSync(target, 'precious');
    writeFileSync(file('claude-code'), '{ "mcpServers": {} }');
    symlinkSync(target, `${file('claude-code')}.bak`);
    await run('claude-code');
    expect(readFileSync(target, 'utf8')).toBe('precious');
    expect(readFileSync(`${file('claude-code')}.bak`, 'utf8')).toBe('{ "mcpServers": {} }');
    expect(lstatSync(`${file('claude-code')}.bak`).isSymbolicLink()).toBe(false);
  });

  it('should write no address that holds a password', async () => {
    const url = 'https://somebody:secret@dagi.example.org/mcp';
    await expect(run('cursor', { http: true, url })).rejects.toThrow('no name and password');
    await expect(run('cursor', { url })).rejects.toThrow('no name and password');
    expect(existsSync(file('cursor'))).toBe(false);
  });

  it('should know where files lie on each system', () => {
    const at = (platform: NodeJS.Platform, client: ClientName): string =>
      CLIENT[client].file({ platform, home: platform === 'win32' ? 'C:\\Users\\a' : '/h', folder: '/w' });
    expect(at('darwin', 'claude-desktop')).toBe('/h/Library/Application Support/Claude/claude_desktop_config.json');
    expect(at('win32', 'claude-desktop')).toBe('C:\\Users\\a\\AppData\\Roaming\\Claude\\claude_desktop_config.json');
    expect(at('linux', 'vscode')).toBe('/h/.config/Code/User/mcp.json');
    expect(at('win32', 'cursor')).toBe('C:\\Users\\a\\.cursor\\mcp.json');
    expect(at('linux', 'claude-code')).toBe('/w/.mcp.json');
  });
});
