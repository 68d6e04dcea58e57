import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { buildProgram } from './program.js';

describe('dagi dialogs export', () => {
  const before = { ...process.env };
  let home: string;
  let server: Server;

  beforeEach(async () => {
    home = mkdtempSync(join(tmpdir(), 'dagi-dialogs-'));
    server = createServer((_request, response) => {
      response.setHeader('content-type', 'application/json').end('{"ok":true,"dialogs":[],"next":null}');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    Object.assign(process.env, { DAGI_URL: `http://127.0.0.1:${port}`, DAGI_API_KEY: 'a-key-of-somebody' });
  });
  afterEach(() => {
    process.env = { ...before };
    server.closeAllConnections();
    server.close();
    rmSync(home, { recursive: true });
  });

  const run = async (...words: string[]): Promise<string> => {
    let out = '';
    const write = jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
      out += String(text);
      return true;
    });
    await buildProgram()
      .parseAsync(['dialogs', 'export', '--home', home, ...words], { from: 'user' })
      .finally(() => write.mockRestore());
    return out;
  };

  it('writes into the state folder, closed to others, and nothing into the folder that one is in', async () => {
    const folder = join(home, 'exports', 'dialogs');
    expect(await run()).toBe(`0 dialogs with 0 prompts in ${folder}\n`);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(existsSync('dialogs')).toBe(false);
  });

  it('writes where it is told to', async () => {
    const folder = join(home, 'elsewhere');
    expect(await run('--out', folder)).toBe(`0 dialogs with 0 prompts in ${folder}\n`);
    expect(existsSync(folder)).toBe(true);
  });
});
