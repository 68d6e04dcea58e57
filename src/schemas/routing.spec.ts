import { describe, expect, it } from '@jest/globals';
import { ExplainQuerySchema, LONGEST_PROMPT, RoutingQuerySchema } from './routing.js';

const parsed = (query: object): unknown => ExplainQuerySchema.parse(query);
const complaint = (query: object): unknown => {
  const result = ExplainQuerySchema.safeParse(query);
  return result.success ? undefined : result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
};

describe('the query of an explanation', () => {
  it('is a body of /route', () => {
    const query = {
      prompt: 'Hello',
      mode: 'crew',
      agent: 'helper',
      source: 'telegram',
      dao_id: 'greenfood-dao',
      user_id: 'tg:12345',
      metadata: '{"task_type":"legal","amount":5,"workflow":"planning"}',
    };
    expect(parsed(query)).toEqual({
      prompt: 'Hello',
      mode: 'crew',
      agent: 'helper',
      source: 'telegram',
      daoId: 'greenfood-dao',
      userId: 'tg:12345',
      sessionId: undefined,
      metadata: { task_type: 'legal', amount: 5, workflow: 'planning' },
      crew: { id: 'planning', inputs: {} },
    });
  });

  it('takes ids from the metadata, as /route does, unless they contradict', () => {
    expect(parsed({ metadata: '{"source":"discord","dao_id":"a"}' })).toMatchObject({ source: 'discord', daoId: 'a' });
    expect(complaint({ source: 'telegram', metadata: '{"source":"discord"}' })).toEqual([
      'source: is given twice, with different values',
    ]);
  });

  it('needs no prompt: it is then empty', () => {
    expect(parsed({})).toMatchObject({ prompt: '', mode: 'chat' });
    expect(parsed({ prompt: '  ' })).toMatchObject({ prompt: '  ' });
  });

  it.each([
    [{ metadata: '[1]' }, 'metadata: a JSON object is needed'],
    [{ metadata: 'null' }, 'metadata: a JSON object is needed'],
    [{ metadata: '{"a":' }, 'metadata: a JSON object is needed'],
  ])('refuses %j', (query, sentence) => {
    expect(complaint(query)).toEqual([sentence]);
  });

  it.each([
    [{ prompt: 'x'.repeat(LONGEST_PROMPT + 1) }],
    [{ metadata: `{"a":"${'x'.repeat(9_000)}"}` }],
    [{ mode: 'poem' }],
    [{ user: 'tg:1' }],
    [{ prompt: ['a', 'b'] }],
    [{ user_id: '' }],
  ])('refuses what is too long, unknown, given twice or empty %#', (query) => {
    expect(ExplainQuerySchema.safeParse(query).success).toBe(false);
  });

  it('of the table itself names a DAO at most', () => {
    expect(RoutingQuerySchema.parse({ dao_id: 'a' })).toEqual({ dao_id: 'a' });
    expect(RoutingQuerySchema.safeParse({ user_id: 'a' }).success).toBe(false);
  });
});
