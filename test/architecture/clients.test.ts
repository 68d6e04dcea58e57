import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { CLIENT_CASES } from '../clients/cases.js';

const ROOT = join(import.meta.dirname, '../..');
const TESTS = '{src,test}/**/*.{spec,test,e2e-spec,medium-spec}.ts';
/** Names of tests that begin with that of a client and a number. */
const NAMES = new RegExp(`['"\`]((?:${Object.keys(CLIENT_CASES).join('|')}) \\d+): `, 'g');

/** The numbers that tests carry at the beginning of their names. */
const carried = new Set(
  globSync(TESTS, { cwd: ROOT, exclude: ['**/clients.test.ts'] }).flatMap((file) =>
    [...readFileSync(join(ROOT, file), 'utf8').matchAll(NAMES)].map(([, number]) => number!),
  ),
);

describe('cases of clients', () => {
  it.each(Object.entries(CLIENT_CASES))('of %s should each have a test that carries its number', (name, cases) => {
    const lacking = [...cases].filter(([number]) => !carried.has(`${name} ${number}`));
    expect(lacking).toEqual([]);
  });

  it('should be the only ones that tests name', () => {
    const known = Object.entries(CLIENT_CASES).flatMap(([name, cases]) =>
      [...cases.keys()].map((at) => `${name} ${at}`),
    );
    expect([...carried].filter((number) => !known.includes(number))).toEqual([]);
  });
});
