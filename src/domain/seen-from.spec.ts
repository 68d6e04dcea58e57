import { describe, expect, it } from '@jest/globals';
import { aRule, aTable, all, anInput, any, is, matches, not } from '../../test/factories/routing.js';
import { BASE, traffic } from '../../test/factories/traffic.js';
import { decide } from './decide.js';
import { describeTable } from './explain.js';
import { ANOTHER_DAO, seenFrom } from './seen-from.js';

describe('a table as one DAO may see it', () => {
  it('names no other DAO, wherever the whole table does', () => {
    const secret = is('dao_id', 'greenfood-dao', 'secret-dao');
    const table = aTable([{ condition: all(any(secret), not(is('dao_id', 'secret-dao'))) }], {
      defaultRule: aRule({ condition: secret }),
      answers: [{ question: 'help', condition: all(matches('help'), secret) }],
      weights: { 'greenfood-dao': 2, 'secret-dao': 5 },
    });
    const seen = seenFrom(table, 'greenfood-dao');
    expect(JSON.stringify(seen)).not.toContain('secret-dao');
    expect(seen.weights).toEqual({ 'greenfood-dao': 2 });
    expect(describeTable(seen).rules[0]?.when).toBe(
      `dao_id in greenfood-dao, "${ANOTHER_DAO}" and not dao_id = "${ANOTHER_DAO}"`,
    );
    expect(JSON.stringify(table)).toContain('secret-dao');
  });

  it('hides nothing but ids of DAOs', () => {
    const table = aTable([{ condition: is('source', 'secret-dao') }]);
    expect(seenFrom(table, 'greenfood-dao')).toEqual(table);
  });

  it('decides about that DAO as the whole table does', () => {
    for (const inputs of [...traffic(300), anInput()]) {
      expect(decide(seenFrom(BASE, inputs.access.dao.id), inputs)).toEqual(decide(BASE, inputs));
    }
  });
});
