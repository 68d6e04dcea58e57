import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { buildProgram } from './program.js';

describe('dagi mcp install', () => {
  let folder: string;
  let file: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'dagi-mcp-install-'));
    file = join(folder, 'client.json');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const install = async (...words: string[]): Promise<void> => {
    const write = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
    await buildProgram()
      .parseAsync(['mcp', 'install', 'cursor', '--file', file, ...words], { from: 'user' })
      .finally(() => write.mockRestore());
  };

  it.each([
    ['--home', '/srv/dagi-home', '/srv/dagi-home'],
    ['--dao', 'greenfood-dao', 'greenfood-dao'],
    ['--as', 'tg:12345', 'tg:12345'],
    ['--url', 'http://127.0.0.1:9411/mcp', 'http://127.0.0.1:9411/mcp'],
  ])('hears %s, which the command above it has, too', async (option, value, written) => {
    await install(option, value);
    expect(readFileSync(file, 'utf8')).toContain(written);
  });

  it('writes nothing with --print', async () => {
    await install('--print');
    expect(existsSync(file)).toBe(false);
  });
});
