import { describe, expect, it } from '@jest/globals';
import { DaoChangesSchema, NewDaoSchema, PageQuerySchema } from './daos.js';

const fits = (schema: { safeParse(value: unknown): { success: boolean } }, value: unknown): boolean =>
  schema.safeParse(value).success;

describe('bodies about DAOs', () => {
  it.each(['a', '0', 'green-food.dao_2', 'constructor', 'a'.repeat(64)])('may have the id %s', (id) => {
    expect(NewDaoSchema.parse({ id, name: ' A ' })).toEqual({ id, name: 'A', facts: {}, profile: {} });
  });

  it.each(['', 'A', '-a', '_a', 'a b', 'а', 'a/b', 'a\n', 'a'.repeat(65)])('may not have the id %j', (id) => {
    expect(fits(NewDaoSchema, { id, name: 'A' })).toBe(false);
  });

  it('have facts under names that people can read', () => {
    const withFacts = (facts: unknown): boolean => fits(NewDaoSchema, { id: 'a', name: 'A', facts });
    expect(withFacts({ 'Як приєднатися': 'Напишіть боту.', purpose_2: 'x' })).toBe(true);
    for (const facts of [{ '': 'x' }, { ' a': 'x' }, { a: '' }, { a: 5 }, { a: null }, { a: 'x'.repeat(4_001) }, []]) {
      expect(withFacts(facts)).toBe(false);
    }
    expect(withFacts(Object.fromEntries(Array.from({ length: 101 }, (_, at) => [`f${at}`, 'x'])))).toBe(false);
  });

  it('change within bounds', () => {
    const good = [
      { settings: { voting_hours: 1, quorum: 0, threshold: 0.99, veto_hours: 0, sealed: true } },
      { settings: { voting_hours: 720, veto_hours: 720, role_weights: { member: 0, admin: 2.5 } } },
      { settings: { quorum: null, role_weights: null } },
      { limits: { weight: 0.01, requests_per_minute: 0, tokens_per_month: null } },
      { profile: { language: 'pt-BR', description: null } },
      { facts: { a: null } },
    ];
    for (const body of good) expect([body, fits(DaoChangesSchema, body)]).toEqual([body, true]);
    const bad = [
      {},
      { id: 'other' },
      { settings: { voting_hours: 0.5 } },
      { settings: { voting_hours: 721 } },
      { settings: { quorum: 1.01 } },
      { settings: { threshold: -0.1 } },
      { settings: { threshold: 1 } },
      { settings: { role_weights: { member: -1 } } },
      { settings: { veto: 1 } },
      { limits: { weight: 0 } },
      { limits: { requests_per_minute: 1.5 } },
      { profile: { language: 'not a tag' } },
    ];
    for (const body of bad) expect([body, fits(DaoChangesSchema, body)]).toEqual([body, false]);
  });

  it('are listed part by part', () => {
    expect(PageQuerySchema.parse({})).toEqual({ limit: 50, after: '' });
    expect(PageQuerySchema.parse({ limit: '200', after: 'x' })).toEqual({ limit: 200, after: 'x' });
    for (const limit of ['0', '201', 'x', '1.5', '']) expect(fits(PageQuerySchema, { limit })).toBe(false);
  });
});
