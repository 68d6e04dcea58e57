import { randomUUID } from 'node:crypto';
import { loadDefaultRoles } from '../../config/seed.js';
import { PLATFORM_OWNER } from '../../src/contracts/access.js';
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
