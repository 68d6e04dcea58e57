import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AccessRepository } from '../../src/adapters/store/access.repository.js';
import { AuditRepository } from '../../src/adapters/store/audit.repository.js';
import { KeysRepository } from '../../src/adapters/store/keys.repository.js';
import type { CallerKey } from '../../src/contracts/access.js';
import { ADMIN_PRINCIPAL } from '../../src/contracts/ids.js';
import { AccessService } from '../../src/services/access.service.js';
import { KeysService, newSecret } from '../../src/services/keys.service.js';
import { DATABASES, type Fresh } from './databases.js';

/** As production starts: nothing is seeded, and no default DAO is named. */
const PART = { after: '', limit: 50 };

describe.each(DATABASES)('an installation without a DAO on %s', (_name, open) => {
  let fresh: Fresh;
  let keys: KeysService;
  let admin: CallerKey;

  beforeAll(async () => {
    fresh = await open();
    const [access, audit] = [new AccessRepository(fresh.database), new AuditRepository(fresh.database)];
    await access.grantPlatform(ADMIN_PRINCIPAL);
    keys = new KeysService(
      new KeysRepository(fresh.database),
      new AccessService(access, audit, () => undefined),
      audit,
    );
    const secret = newSecret();
    await keys.putAdminKey(secret);
    admin = (await keys.authenticate(secret))!;
  });
  afterAll(() => fresh.drop());

  it('should let the administrator make, list and revoke keys of all DAOs', async () => {
    const made = await keys.create(admin, { name: 'a bot', daoId: undefined, principal: undefined });
    expect(made).toMatchObject({ dao_id: null, gateway: true, name: 'a bot' });
    expect((await keys.list(admin, {}, PART)).items.map(({ id }) => id)).toEqual(
      expect.arrayContaining(['admin', made.id]),
    );
    await keys.revoke(admin, made.id, {});
    expect(await keys.authenticate(made.key)).toBeUndefined();
  });

  it('should refuse a key of all DAOs that has no grant, and write that down', async () => {
    const { key } = await keys.create(admin, { name: 'gateway', daoId: undefined, principal: undefined });
    const gateway = (await keys.authenticate(key))!;
    await expect(keys.list(gateway, {}, PART)).rejects.toMatchObject({ code: 'RBAC_PERMISSION_DENIED' });
    await expect(keys.list(admin, { userId: 'tg:1' }, PART)).rejects.toMatchObject({ code: 'RBAC_PERMISSION_DENIED' });
    const denied = await fresh.database.all
      .selectFrom('audit')
      .where('action', '=', 'access.denied')
      .select(['chain', 'actor'])
      .orderBy('seq')
      .execute();
    expect(denied).toEqual([
      { chain: '', actor: gateway.principal },
      { chain: '', actor: expect.stringMatching(/^x_[0-9a-f]{32}$/) as unknown },
    ]);
  });
});
