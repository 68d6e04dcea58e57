import { randomUUID } from 'node:crypto';
import { loadDefaultRoles } from '../../config/seed.js';
import { PLATFORM_OWNER, type CallerKey } from '../../src/contracts/access.js';
import { DaosRepository, type NewDao } from '../../src/adapters/store/daos.repository.js';
import type { Tenants } from '../../src/adapters/store/tenants.js';
import type { NewKey } from '../../src/adapters/store/keys.repository.js';

/** The DAO of the development seed, as far as tests need it. */
export const aDao = (changes: Partial<NewDao> = {}): NewDao => ({
  id: 'greenfood-dao',
  name: 'GreenFood DAO',
  facts: { purpose: 'Food from local farms to city kitchens.' },
  members: { 'tg:1': ['admin'], 'tg:12345': ['member'], 'tg:222': ['contributor'] },
  ...changes,
});

/** Creates a DAO with the roles that every DAO starts with. */
export const createDao = (tenants: Tenants, changes: Partial<NewDao> = {}): Promise<boolean> =>
  new DaosRepository(tenants).create(aDao(changes), loadDefaultRoles());

/** A gateway key of all DAOs that the platform's administrator made, with nothing taken from it. */
export const aCaller = (changes: Partial<CallerKey> = {}): CallerKey => ({
  id: 'k1',
  daoId: null,
  principal: 'api:k1',
  gateway: true,
  owner: PLATFORM_OWNER,
  scopes: null,
  ...changes,
});

/** A gateway key of the seeded DAO, as it is kept. */
export const aKey = (changes: Partial<NewKey> = {}): NewKey => {
  const id = randomUUID();
  return {
    id,
    hash: `hash of ${id}`,
    name: 'a key',
    dao_id: 'greenfood-dao',
    principal: `api:${id}`,
    gateway: true,
    owner: PLATFORM_OWNER,
    ...changes,
  };
};
