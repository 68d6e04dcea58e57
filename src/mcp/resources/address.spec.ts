import { describe, expect, it } from '@jest/globals';
import { parseAddress, uriOf, type Address } from './address.js';

const DAO = 'green-dao';

const ADDRESSES: readonly [string, Address][] = [
  ['dagi://green-dao', { daoId: DAO, kind: 'dao' }],
  ['dagi://green-dao/proposals/12', { daoId: DAO, kind: 'proposal', n: 12 }],
  ['dagi://green-dao/dialogs/d%201', { daoId: DAO, kind: 'dialog', id: 'd 1' }],
  ['dagi://green-dao/runs/r-1', { daoId: DAO, kind: 'run', id: 'r-1' }],
  ['dagi://green-dao/workspace/', { daoId: DAO, kind: 'file', path: '' }],
  ['dagi://green-dao/workspace/src/', { daoId: DAO, kind: 'file', path: 'src/' }],
  ['dagi://green-dao/workspace/50%25%20%3F%23.txt', { daoId: DAO, kind: 'file', path: '50% ?#.txt' }],
  [
    'dagi://%D0%BA%D0%BE%D0%BE%D0%BF/workspace/%D0%B7%D0%B2%D1%96%D1%82/1.md',
    { daoId: 'кооп', kind: 'file', path: 'звіт/1.md' },
  ],
];

describe(parseAddress, () => {
  it.each(ADDRESSES)('should understand %s, which is how it is written', (uri, address) => {
    expect(parseAddress(uri)).toEqual(address);
    expect(uriOf(address)).toBe(uri);
  });

  it('should understand letters that nobody has encoded, and a workspace without a slash', () => {
    expect(parseAddress('dagi://green-dao/workspace/звіт/1.md')).toMatchObject({ path: 'звіт/1.md' });
    expect(parseAddress('dagi://green-dao/workspace')).toMatchObject({ kind: 'file', path: '' });
  });

  it('should take a name of a DAO in one form, however its accents were typed', () => {
    expect(parseAddress(`dagi://${'й'.normalize('NFD')}`)).toEqual({ daoId: 'й'.normalize('NFC'), kind: 'dao' });
  });

  it.each([
    ...['', 'dagi:', 'dagi://', 'dagi:///proposals/1', 'DAGI://green-dao', 'http://green-dao', 'file:///etc/passwd'],
    ...['dagi://green-dao/', 'dagi://green-dao/proposals', 'dagi://green-dao/proposals/', 'dagi://green-dao/runs/a/b'],
    ...['dagi://green-dao/proposals/0', 'dagi://green-dao/proposals/1x', 'dagi://green-dao/proposals/-1'],
    ...['dagi://green-dao/other/1', 'dagi://%E0%A4%A/runs/1', 'dagi://green-dao/runs/%'],
    ...['dagi://green-dao/workspace/a%2Fb', 'dagi://green-dao/workspace/..%2F..%2Fetc'],
    `dagi://green-dao/runs/${'r'.repeat(65)}`,
    `dagi://green-dao/workspace/${'a'.repeat(40_000)}`,
  ])('should find nothing at %j', (uri) => {
    expect(parseAddress(uri)).toBeUndefined();
  });
});
