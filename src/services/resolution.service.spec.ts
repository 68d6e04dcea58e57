import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { aCaller } from '../../test/factories/access.js';
import { anAccess } from '../../test/factories/routing.js';
import { strict } from '../../test/factories/strict.js';
import type { AccessFacts } from '../contracts/access.js';
import { resolveRights } from '../domain/access.js';
import { AppError } from '../errors/app-error.js';
import type { AccessService, Acting } from './access.service.js';
import { ResolutionService } from './resolution.service.js';

const DAO = 'greenfood-dao';

describe('ResolutionService', () => {
  const resolve = jest.fn<AccessService['resolve']>();
  const require = jest.fn<AccessService['require']>();
  const factsOf = jest.fn<AccessService['factsOf']>();
  const denied = new AppError('RBAC_PERMISSION_DENIED');
  const refused = new AppError('ACTING_NOT_ALLOWED');
  const refuseActing = jest.fn<AccessService['refuseActing']>().mockRejectedValue(refused);
  const sut = new ResolutionService(strict<AccessService>('access', { resolve, require, factsOf, refuseActing }));

  const asks = (roles: string[], changes: Partial<AccessFacts> = {}): void => {
    const facts = anAccess(roles, changes);
    const acting: Acting = { actor: 'anybody', daoId: DAO, key: aCaller(), facts, rights: resolveRights(facts) };
    resolve.mockResolvedValue(acting);
  };

  beforeEach(() => {
    resolve.mockReset();
    require.mockReset().mockRejectedValue(denied);
    factsOf.mockReset().mockResolvedValue(anAccess(['member'], { member: 'p_5' }));
  });

  it.each([undefined, 'tg:9'])('tells everybody what they are themselves, as their key has it (%s)', async (userId) => {
    asks(['member'], { member: 'p_9', within: ['chat.read'] });
    const key = aCaller({ principal: 'tg:9', gateway: false });
    expect(await sut.resolve(key, { daoId: DAO, userId })).toEqual({
      ...{ dao_id: DAO, user_id: 'tg:9', member: 'p_9' },
      ...{ roles: ['member'], entitlements: ['chat.read'] },
    });
    expect(resolve.mock.calls).toEqual([[key, { daoId: DAO }]]);
    expect(factsOf).not.toHaveBeenCalled();
  });

  it('calls nobody a member who is none', async () => {
    asks(['guest']);
    expect(await sut.resolve(aCaller(), {})).toMatchObject({ user_id: 'api:k1', member: null, roles: ['guest'] });
  });

  it.each<[string, Parameters<typeof aCaller>[0], string[], Partial<AccessFacts>]>([
    ['a gateway key', { gateway: true }, ['guest'], {}],
    ['a gateway key that lets chat.read through', { gateway: true }, ['guest'], { within: ['chat.read'] }],
    ['an admin', { gateway: false }, ['admin'], {}],
    ['whoever may invite', { gateway: false }, ['admin'], { within: ['member.invite'] }],
    ['whoever sees operations', { gateway: false }, ['admin'], { within: ['ops.read'] }],
  ])('tells %s what others are', async (_who, key, roles, facts) => {
    asks(roles, facts);
    expect(await sut.resolve(aCaller({ principal: 'tg:1', ...key }), { userId: 'tg:5' })).toMatchObject({
      ...{ user_id: 'tg:5', member: 'p_5', roles: ['member'] },
      entitlements: ['chat.read', 'chat.write', 'agent.crew', 'proposal.create', 'proposal.vote'],
    });
    expect(factsOf.mock.calls).toEqual([[DAO, 'tg:5']]);
    expect(require).not.toHaveBeenCalled();
  });

  it.each<[string, boolean, string[], Partial<AccessFacts>]>([
    ['a member', false, ['member'], {}],
    ['an admin’s key that is narrowed to chats', false, ['admin'], { within: ['chat.read', 'chat.write'] }],
    ['a gateway key whose owner may nothing any more', true, ['guest'], { within: [] }],
  ])('does not tell %s, on the record', async (_who, gateway, roles, facts) => {
    asks(roles, facts);
    const key = aCaller({ principal: 'tg:1', gateway });
    await expect(sut.resolve(key, { daoId: DAO, userId: 'tg:5' })).rejects.toBe(denied);
    expect(require.mock.calls).toEqual([[key, { daoId: DAO }, 'member.invite']]);
    expect(factsOf).not.toHaveBeenCalled();
  });

  it('tells nobody what another key is by itself, on the record', async () => {
    asks(['admin']);
    for (const userId of ['api:admin', 'api:other']) {
      await expect(sut.resolve(aCaller(), { userId })).rejects.toBe(refused);
    }
    expect(factsOf).not.toHaveBeenCalled();
  });
});
