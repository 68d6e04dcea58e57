import { describe, expect, it } from '@jest/globals';
import { noPersonId } from './person-id.js';

describe('noPersonId', () => {
  it.each(['tg:1', 'dc:Anna Maria', '@anna:matrix.example.org', 'mail:ann@example.org', 'tg:андрій', 'px_1', 'tg:p_1'])(
    'takes %j',
    (id) => {
      expect(noPersonId(id)).toBeUndefined();
    },
  );

  it.each(['api:x', 'api:', 'p_0', 'x_0'])('refuses %j, which is a name of ours', (id) => {
    expect(noPersonId(id)).toMatch(/^begins with/);
  });

  it.each([
    '\t',
    '\n',
    '\u007f',
    '\u200b',
    '\u200d',
    '\u202e',
    '\u2066',
    '\ufeff',
    '\u00ad',
    '\u2028',
    '\u3164',
    '\u00a0',
  ])('refuses %j within', (unseen) => {
    expect(noPersonId(`tg:${unseen}1`)).toMatch(/cannot be seen/);
  });

  it.each([' tg:1', 'tg:1 ', ' ', ''])('refuses %j', (id) => {
    expect(noPersonId(id)).toMatch(/blank/);
  });
});
