import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { aCrew } from '../../test/factories/crew.js';
import { aCaller } from '../../test/factories/access.js';
import { aTable, all, anAccess, is, matches } from '../../test/factories/routing.js';
import type { AccessFacts } from '../contracts/access.js';
import type { RouteSubmission } from '../contracts/request.js';
import { resolveRights } from '../domain/access.js';
import { AppError } from '../errors/app-error.js';
import type { AccessService, Acting } from './access.service.js';
import type { CrewStarts } from './crew-starts.js';
import { RoutingService } from './routing.service.js';

const KEY = aCaller({ id: 'key', principal: 'tg:1', gateway: false });
const unprepared = (name: string) => (): never => {
  throw new Error(`${name} was not prepared`);
};

const acting = (roles: string[], changes: Partial<AccessFacts> = {}): Acting => {
  const facts = anAccess(roles, changes);
  return { actor: 'tg:1', daoId: facts.dao.id, key: KEY, facts, rights: resolveRights(facts) };
};

const about = (changes: Partial<RouteSubmission> = {}): RouteSubmission => ({
  prompt: 'secret 4711',
  mode: 'chat',
  agent: undefined,
  daoId: undefined,
  userId: undefined,
  sessionId: undefined,
  source: 'telegram',
  metadata: {},
  ...changes,
});

const TABLE = aTable([{ name: 'elsewhere', condition: is('dao_id', 'secret-dao') }, { name: 'rest' }], {
  answers: [{ question: 'help', condition: all(matches('help')) }],
  weights: { 'secret-dao': 3 },
});

describe('RoutingService', () => {
  const require = jest.fn<AccessService['require']>();
  const requireAnywhere = jest.fn<AccessService['requireAnywhere']>();
  const factsOf = jest.fn<AccessService['factsOf']>();
  const table = jest.fn(() => TABLE);
  const refused = new AppError('ACTING_NOT_ALLOWED');
  const refuseActing = jest.fn<AccessService['refuseActing']>().mockRejectedValue(refused);
  const access = { require, requireAnywhere, factsOf, refuseActing } as unknown as AccessService;
  const find = jest.fn<CrewStarts['find']>();
  const service = new RoutingService(table, access, { find });

  beforeEach(() => {
    require.mockReset().mockImplementation(unprepared('require'));
    find.mockReset().mockImplementation(unprepared('find'));
    requireAnywhere.mockReset().mockImplementation(unprepared('requireAnywhere'));
    factsOf.mockReset().mockImplementation(unprepared('factsOf'));
  });

  it('asks for ops.read in the DAO that is named, and tells what the access service says', async () => {
    const refusal = new AppError('RBAC_PERMISSION_DENIED');
    require.mockRejectedValueOnce(refusal);
    requireAnywhere.mockRejectedValueOnce(refusal);
    await expect(service.explain(KEY, about({ daoId: 'greenfood-dao' }))).rejects.toBe(refusal);
    await expect(service.describe(KEY, 'greenfood-dao')).rejects.toBe(refusal);
    expect(require).toHaveBeenCalledWith(KEY, { daoId: 'greenfood-dao' }, 'ops.read');
    expect(requireAnywhere).toHaveBeenCalledWith(KEY, { daoId: 'greenfood-dao' }, 'ops.read');
    expect(table).not.toHaveBeenCalled();
  });

  it('explains a request of the caller with the caller’s own roles', async () => {
    for (const userId of [undefined, 'tg:1']) {
      require.mockResolvedValueOnce(acting(['admin']));
      const told = await service.explain(KEY, about({ userId }));
      expect(told).toMatchObject({ access: { roles: ['admin'] }, decision: { allowed: true, rule: 'rest' } });
      expect(JSON.stringify(told)).not.toContain('4711');
    }
  });

  it('explains a request for a crew as the crew is there for the DAO', async () => {
    require.mockResolvedValue(acting(['admin']));
    find
      .mockResolvedValueOnce({ definition: aCrew({ id: 'planning' }), hash: 'v1', version: null })
      .mockResolvedValueOnce(undefined);
    const crew = { id: 'planning', inputs: {} };
    expect((await service.explain(KEY, about({ mode: 'crew', crew }))).decision).toMatchObject({
      allowed: true,
      rule: 'crew',
    });
    expect((await service.explain(KEY, about({ mode: 'crew', crew }))).decision).toMatchObject({
      allowed: false,
      code: 'CREW_NOT_FOUND',
    });
  });

  it('explains a request of another member to an admin of the DAO', async () => {
    require.mockResolvedValueOnce(acting(['admin']));
    factsOf.mockResolvedValueOnce(anAccess(['guest']));
    const told = await service.explain(KEY, about({ userId: 'tg:222' }));
    expect(factsOf).toHaveBeenCalledWith('greenfood-dao', 'tg:222');
    expect(told).toMatchObject({
      access: { roles: ['guest'], required_entitlement: 'chat.write', granted: false },
      decision: { allowed: false, code: 'RBAC_PERMISSION_DENIED' },
    });
  });

  it('tells nobody else about another member, and nobody about a key', async () => {
    const facts = anAccess([], { roles: [{ name: 'watcher', entitlements: ['ops.read'] }] });
    require.mockResolvedValueOnce({ ...acting([]), facts, rights: resolveRights(facts) });
    await expect(service.explain(KEY, about({ userId: 'tg:222' }))).rejects.toBe(refused);
    require.mockResolvedValueOnce(acting(['admin']));
    await expect(service.explain(KEY, about({ userId: 'api:admin' }))).rejects.toBe(refused);
  });

  it('names other DAOs to the administrator of the platform alone', async () => {
    requireAnywhere.mockResolvedValueOnce({ actor: 'tg:1', sees: 'a-dao' });
    require.mockResolvedValueOnce(acting(['admin']));
    const shown = [await service.describe(KEY, undefined), await service.explain(KEY, about())];
    expect(JSON.stringify(shown)).not.toContain('secret-dao');

    requireAnywhere.mockResolvedValue({ actor: 'api:admin', sees: null });
    expect((await service.describe(KEY, undefined)).weights).toEqual({ 'secret-dao': 3 });
    expect((await service.describe(KEY, undefined)).rules[0]?.when).toBe('dao_id = secret-dao');
  });

  it('shows the table that runs at the moment', async () => {
    require.mockResolvedValue(acting(['admin']));
    table.mockReturnValueOnce(aTable([{ name: 'before' }])).mockReturnValueOnce(aTable([{ name: 'after' }]));
    expect((await service.explain(KEY, about())).rules.map(({ rule }) => rule)).toEqual(['before']);
    expect((await service.explain(KEY, about())).rules.map(({ rule }) => rule)).toEqual(['after']);
  });
});
