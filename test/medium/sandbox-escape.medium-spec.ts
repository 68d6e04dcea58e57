import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { ATTEMPTS } from '../sandbox/lib/attempts.mjs';

const RUN = join(import.meta.dirname, '../sandbox/run.mjs');

interface Row {
  name: string;
  refusal: string;
  problems: string[];
}

/** As root the whole suite is played a second time, by an ordinary user, who is bounded in other ways. */
const USERS = process.getuid?.() === 0 ? ['root', 'an ordinary user'] : ['this user'];

interface Play {
  uid: number;
  bounds: string;
  rows: Row[];
}

/** In a process of its own: the sandbox has to close what that one has open, not what jest has. */
const play = (): Promise<Play[]> =>
  new Promise((resolve, reject) => {
    // It ends with 1 where something was not refused, which the rows tell.
    execFile(process.execPath, [RUN, '--json'], { maxBuffer: 1 << 24 }, (error, stdout) => {
      if (stdout === '') reject(error ?? new Error('nothing was played'));
      else resolve(JSON.parse(stdout) as Play[]);
    });
  });

describe('what programs try in the sandbox', () => {
  let plays: Play[];

  beforeAll(async () => {
    plays = await play();
  }, 180_000);

  it('should have been tried by each kind of user', () => {
    expect(plays.map(({ rows }) => rows.length)).toEqual(USERS.map(() => ATTEMPTS.length));
    expect(ATTEMPTS.length).toBeGreaterThan(40);
    expect(plays.at(-1)?.uid).not.toBe(0);
  });

  describe.each(USERS.map((name, index) => ({ name, index })))('as $name', ({ index }) => {
    it.each(ATTEMPTS.map(({ name }) => name))('should refuse to %s, and leave the host unharmed', (name) => {
      const row = plays[index]?.rows.find((each) => each.name === name);
      expect(row).toMatchObject({ name, problems: [] });
    });
  });
});
