import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';

const RUN = join(import.meta.dirname, '../isolation/run.mjs');
/** A busy machine takes a minute for what a free one does in fifteen seconds. */
const TIMEOUT_MS = 300_000;

/** `npm run isolation`, over the build. */
async function isolation(...args: string[]): Promise<{ code: unknown; output: string }> {
  const child = spawn(process.execPath, [RUN, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [output, ended] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  return { code: ended[0] as unknown, output };
}

describe('what one DAO sees', () => {
  it(
    'should be the same to the last byte when the data of another one are changed',
    async () => {
      const { code, output } = await isolation('--operations', '250');
      expect(output).toContain('250 operations, seed 1: no difference');
      expect(code).toBe(0);
    },
    TIMEOUT_MS,
  );

  // `npm run isolation -- --plant all` forgets them all.
  it(
    'should be found to differ when a filter is forgotten',
    async () => {
      const { code, output } = await isolation('--plant', 'answers', '--seed', '3', '--operations', '5000');
      expect(output).toMatch(/^answers: found at operation \d+/);
      expect(code).toBe(0);
    },
    TIMEOUT_MS,
  );
});
