import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { loadDefaultRoles } from '../../config/seed.js';
import { AccessRepository } from '../../src/adapters/store/access.repository.js';
import { AuditRepository } from '../../src/adapters/store/audit.repository.js';
import {
  addMember,
  memberByUser,
  MembersRepository,
  updateMember,
} from '../../src/adapters/store/members.repository.js';
import { RefusalsRepository } from '../../src/adapters/store/refusals.repository.js';
import { RequestsRepository } from '../../src/adapters/store/requests.repository.js';
import { RolesRepository } from '../../src/adapters/store/roles.repository.js';
import type { CallerKey } from '../../src/contracts/access.js';
import { AccessService } from '../../src/services/access.service.js';
import { ChangesService } from '../../src/services/changes.service.js';
import type { Guarded, GuardSettings } from '../../src/services/config-guard.js';
import { RecordedDecisions } from '../../src/services/recorded-decisions.js';
import { rightsOf, type RightsServices } from '../../src/services/rights.js';
import type { AppError } from '../../src/errors/app-error.js';
import { aCaller, createDao } from '../factories/access.js';
import { aRequest } from '../factories/requests.js';
import { aTable, anAccess, anInput } from '../factories/routing.js';
import { DATABASES, type Fresh } from './databases.js';

const GUARD: GuardSettings = { enabled: true, requests: 1_000, maxChangedShare: 0.2 };
const ALL = { after: '', limit: 100 };

describe.each(DATABASES)('roles on %s', (_name, open) => {
  let fresh: Fresh;
  let audit: AuditRepository;
  let rights: RightsServices;
  let guard: GuardSettings;
  let refusals: RefusalsRepository;
  let requests: RequestsRepository;
  /** A DAO for each test. */
  let dao: string;
  let admin: CallerKey;

  beforeAll(async () => {
    fresh = await open();
    const { database } = fresh;
    audit = new AuditRepository(database);
    refusals = new RefusalsRepository(database);
    requests = new RequestsRepository(database);
    const access = new AccessService(new AccessRepository(database), audit, () => undefined);
    rights = rightsOf({
      access,
      changes: new ChangesService(access, audit, loadDefaultRoles().admin ?? []),
      repositories: { roles: new RolesRepository(database), members: new MembersRepository(database) },
      recorded: new RecordedDecisions(requests, refusals),
      running: (): Guarded => ({ routing: aTable([{}]), guard }),
    });
  });
  afterAll(() => fresh.drop());

  beforeEach(async () => {
    guard = { ...GUARD, enabled: false };
    dao = `dao-${randomUUID()}`;
    await createDao(fresh.database, { id: dao });
    admin = keyOf('tg:1');
  });

  const keyOf = (principal: string): CallerKey => aCaller({ daoId: dao, principal, gateway: false });

  const put = (
    name: string,
    entitlements: string[],
    { key = admin, ...rest }: { key?: CallerKey; confirm?: string; expected?: string[] } = {},
  ) => rights.roles.put(key, name, { entitlements, confirm: rest.confirm }, { expected: rest.expected });

  const failure = (attempt: Promise<unknown>): Promise<AppError> =>
    attempt.then(
      () => {
        throw new Error('it went through');
      },
      (error: unknown) => error as AppError,
    );

  const recorded = async (): Promise<{ action: string; subject: string; detail: unknown }[]> => {
    const rows = fresh.database.of(dao).selectFrom('audit').where('chain', '=', dao).orderBy('seq').select('entry');
    return (await rows.execute()).map(({ entry }) => JSON.parse(entry) as never);
  };

  const named = async (name: string) =>
    (await rights.roles.list(admin, {}, ALL)).items.find((role) => role.name === name);

  it('should be listed with what they give and how many have them, part by part', async () => {
    await addMember(fresh.database.of(dao), dao, { userId: 'tg:5', roles: ['member', 'contributor'] });
    const { items, next } = await rights.roles.list(keyOf('tg:5'), {}, ALL);
    const seen = await rights.roles.list(keyOf('tg:a-guest'), {}, ALL);
    expect(seen.items).toEqual(items.map(({ holders: _holders, ...role }) => role));
    expect(items.map(({ name, holders, version }) => [name, holders, version])).toEqual([
      ['admin', 1, '1'],
      ['contributor', 2, '1'],
      ['guest', 0, '1'],
      ['member', 2, '1'],
    ]);
    expect(next).toBeNull();
    expect(items[2]?.entitlements).toEqual(['chat.read']);
    const first = await rights.roles.list(admin, {}, { after: '', limit: 2 });
    expect(first).toMatchObject({ items: [{ name: 'admin' }, { name: 'contributor' }], next: 'contributor' });
    const rest = await rights.roles.list(admin, {}, { after: 'contributor', limit: 2 });
    expect(rest).toMatchObject({ items: [{ name: 'guest' }, { name: 'member' }], next: null });
  });

  it('should be created and changed, on the record, in effect with the next question', async () => {
    const made = await put('keeper', ['key.manage', 'chat.read', 'chat.read']);
    expect(made).toEqual({
      role: { name: 'keeper', entitlements: ['chat.read', 'key.manage'], version: '1', holders: 0 },
      created: true,
    });
    await addMember(fresh.database.of(dao), dao, { userId: 'tg:5', roles: ['keeper'] });
    const asked = async (): Promise<string[]> => (await rights.resolution.resolve(keyOf('tg:5'), {})).entitlements;
    expect(await asked()).toEqual(['chat.read', 'key.manage']);
    const changed = await put('keeper', ['chat.read', 'chat.write']);
    expect(changed).toMatchObject({ role: { version: '2', holders: 1 }, created: false });
    expect(await asked()).toEqual(['chat.read', 'chat.write']);
    // What is so already is no change.
    expect(await put('keeper', ['chat.write', 'chat.read'])).toEqual(changed);
    expect(await recorded()).toMatchObject([
      { action: 'role.put', subject: 'keeper', detail: { added: ['chat.read', 'key.manage'], removed: [] } },
      { action: 'role.put', subject: 'keeper', detail: { added: ['chat.write'], removed: ['key.manage'] } },
    ]);
  });

  it('should give nothing, and lose nothing, that their editor lacks', async () => {
    await put('editor', ['chat.read', 'config.update']);
    await addMember(fresh.database.of(dao), dao, { userId: 'tg:6', roles: ['editor'] });
    const key = keyOf('tg:6');
    const denied = {
      code: 'RBAC_PERMISSION_DENIED',
      detail: { required_entitlement: 'chat.write', roles: ['editor'] },
    };
    expect(await failure(put('own', ['chat.read', 'chat.write'], { key }))).toMatchObject(denied);
    expect(await failure(put('editor', ['chat.read', 'chat.write', 'config.update'], { key }))).toMatchObject(denied);
    expect((await recorded()).at(-1)).toMatchObject({ action: 'access.denied' });
    expect(await failure(put('member', ['chat.read'], { key }))).toMatchObject(denied);
    expect((await named('member'))?.entitlements).toContain('chat.write');
    await put('second', ['chat.read', 'config.update']);
    expect((await put('second', ['chat.read'], { key })).role.entitlements).toEqual(['chat.read']);
    expect(await failure(put('own', [], { key: keyOf('tg:12345') }))).toMatchObject({
      code: 'RBAC_PERMISSION_DENIED',
      detail: { required_entitlement: 'config.update' },
    });
    expect(await failure(rights.roles.delete(keyOf('tg:222'), 'own', {}))).toMatchObject({
      code: 'RBAC_PERMISSION_DENIED',
    });
    // A key that is narrowed gives no more than it lets through.
    const narrowed = { ...admin, scopes: ['config.update', 'chat.read'] as const };
    expect(await failure(put('own', ['chat.write'], { key: narrowed }))).toMatchObject({
      code: 'RBAC_PERMISSION_DENIED',
    });
  });

  it('should count a member once, whatever else they have, and as often as it is kept', async () => {
    const db = fresh.database.of(dao);
    for (const [at, roles] of [['member', 'admin'], ['admin', 'member'], ['member', 'member'], ['gone']].entries()) {
      await addMember(db, dao, { userId: `tg:more-${at}`, roles });
    }
    const { items } = await rights.roles.list(admin, {}, ALL);
    expect(items.map(({ name, holders }) => [name, holders])).toEqual([
      ['admin', 3],
      ['contributor', 1],
      ['guest', 0],
      ['member', 4],
    ]);
    expect((await put('member', ['chat.read'])).role.holders).toBe(4);
  });

  it('should have no version twice, also where one was deleted and made again', async () => {
    const seen = new Set<string>();
    for (let round = 0; round < 3; round += 1) {
      for (const list of [['chat.read'], ['chat.write'], ['agent.crew']]) {
        const { version } = (await put('keeper', list)).role;
        expect(seen.has(version)).toBe(false);
        seen.add(version);
      }
      await rights.roles.delete(admin, 'keeper', {});
    }
  });

  it('should leave the change to the other of two admins who did not see each other', async () => {
    await put('keeper', ['chat.read']);
    expect(await failure(put('keeper', ['chat.write'], { expected: ['2'] }))).toMatchObject({
      code: 'VERSION_CHANGED',
      detail: { version: '1' },
    });
    expect(await failure(put('fresh', [], { expected: ['1'] }))).toMatchObject({ code: 'VERSION_CHANGED' });
    const outcomes = await Promise.all(
      [['chat.write'], ['agent.crew']].map((list) =>
        put('keeper', list, { expected: ['1'] }).then(
          () => 'done',
          (error: unknown) => (error as AppError).code,
        ),
      ),
    );
    expect(outcomes.toSorted()).toEqual(['VERSION_CHANGED', 'done']);
    expect((await named('keeper'))?.version).toBe('2');
    expect(await failure(rights.roles.delete(admin, 'keeper', { expected: ['1'] }))).toMatchObject({
      code: 'VERSION_CHANGED',
    });
  });

  it('should always leave somebody who may do everything and can act', async () => {
    const without = (loadDefaultRoles().admin ?? []).filter((one) => one !== 'audit.read');
    expect(await failure(put('admin', without))).toMatchObject({ code: 'LAST_ADMIN' });
    expect((await named('admin'))?.version).toBe('1');
    expect((await recorded()).filter(({ action }) => action === 'role.put')).toEqual([]);
    // Somebody who has the rest by another role will do.
    await put('auditor', ['audit.read']);
    const db = fresh.database.of(dao);
    const { id } = (await memberByUser(db, dao, 'tg:1'))!;
    await updateMember(db, dao, id, { roles: ['admin', 'auditor'] });
    expect(await put('admin', without)).toMatchObject({ created: false });
    expect(await failure(put('auditor', []))).toMatchObject({ code: 'LAST_ADMIN' });
    await db.deleteFrom('identities').where('member_id', '=', id).execute();
    const platform = aCaller({ principal: 'api:admin' });
    await new AccessRepository(fresh.database).grantPlatform('api:admin');
    // Where nobody was left before, nobody is taken away.
    await rights.roles.put(platform, 'auditor', { entitlements: [] }, { daoId: dao });
  });

  it('should be deleted once nobody has them or is promised them', async () => {
    await put('keeper', ['chat.read']);
    const db = fresh.database.of(dao);
    const member = await addMember(db, dao, { userId: 'tg:5', roles: ['keeper', 'member'] });
    const invited = (expires_at: Date, uses_left = 1) =>
      db
        .insertInto('invitations')
        .values({
          dao_id: dao,
          id: randomUUID(),
          hash: randomUUID(),
          roles: ['keeper'],
          uses_left,
          expires_at,
          created_by: 'p',
        })
        .execute();
    await invited(new Date(Date.now() + 60_000));
    await invited(new Date(Date.now() - 60_000));
    await invited(new Date(Date.now() + 60_000), 0);
    const remove = () => rights.roles.delete(admin, 'keeper', { expected: ['1'] });
    expect(await failure(remove())).toMatchObject({ code: 'ROLE_IN_USE', detail: { holders: 1, invitations: 1 } });
    await updateMember(db, dao, member, { roles: ['member'] });
    expect(await failure(remove())).toMatchObject({ code: 'ROLE_IN_USE', detail: { holders: 0, invitations: 1 } });
    await db.deleteFrom('invitations').execute();
    await remove();
    expect(await named('keeper')).toBeUndefined();
    expect((await recorded()).at(-1)).toMatchObject({ action: 'role.delete', subject: 'keeper' });
    expect(await failure(remove())).toMatchObject({ code: 'ROLE_NOT_FOUND' });
    expect(await failure(rights.roles.delete(admin, 'guest', {}))).toMatchObject({ code: 'ROLE_IN_USE' });
  });

  describe('before the guard', () => {
    beforeEach(() => {
      guard = GUARD;
    });

    /** Somebody of the DAO who was refused a chat, and others who were let through. */
    async function history(guests: number, members: number): Promise<void> {
      const at = { id: dao, name: 'A DAO' };
      for (let n = 0; n < guests; n += 1) {
        const inputs = anInput({ access: anAccess(['guest'], { dao: at }) });
        const refusal = { actor: 'tg:9', at: new Date(), code: 'RBAC_PERMISSION_DENIED', configHash: 'h', inputs };
        await refusals.add({ id: randomUUID(), daoId: dao, ...refusal });
      }
      if (members === 0) return;
      const first = aRequest({ daoId: dao, access: anAccess(['member'], { dao: at }) });
      await requests.accept(first);
      await sql`
        insert into requests (id, dao_id, actor, key_id, mode, metadata, decision, access, status, received_at, deadline_at)
        select ${dao}::text || n, dao_id, actor, key_id, mode, metadata, decision, access, status, received_at - make_interval(secs => n), deadline_at
        from requests, generate_series(1, ${members - 1}::int) n where id = ${first.id}
      `.execute(fresh.database.all);
      await sql`
        insert into turns (request_id, dao_id, prompt, created_at)
        select ${dao}::text || n, dao_id, prompt, created_at from turns, generate_series(1, ${members - 1}::int) n
        where request_id = ${first.id}
      `.execute(fresh.database.all);
    }

    it('should wait for a confirmation where somebody would be let in, for exactly this change', async () => {
      await history(1, 0);
      const held = await failure(put('guest', ['chat.read', 'chat.write']));
      expect(held).toMatchObject({ code: 'ROLE_CHANGE_HELD', status: 409 });
      const { confirm, reasons, report } = held.detail as { confirm: string; reasons: string[]; report: object };
      expect(reasons).toEqual(expect.arrayContaining([expect.stringContaining('1 of 1 recorded requests')]));
      expect(report).toMatchObject({ requests: 1, newly_allowed: 1 });
      expect((await named('guest'))?.version).toBe('1');
      for (const wrong of ['0123456789abcdef', confirm.toUpperCase()]) {
        expect(await failure(put('guest', ['chat.read', 'chat.write'], { confirm: wrong }))).toMatchObject({
          code: 'ROLE_CHANGE_HELD',
        });
      }
      const more = ['chat.read', 'chat.write', 'agent.crew'];
      expect(await failure(put('guest', more, { confirm }))).toMatchObject({ code: 'ROLE_CHANGE_HELD' });
      expect((await put('guest', ['chat.read', 'chat.write'], { confirm })).role.version).toBe('2');
      expect((await recorded()).at(-1)).toMatchObject({ action: 'role.put', detail: { confirmed: confirm } });
    });

    it('should compare with what the role gives today, not with what it gave when it was recorded', async () => {
      await history(1, 0);
      const { detail } = await failure(put('guest', ['chat.read', 'chat.write']));
      await put('guest', ['chat.read', 'chat.write'], { confirm: String(detail.confirm) });
      // The guest who was refused once would be let in now as before.
      const again = await failure(put('guest', ['chat.read', 'chat.write', 'agent.crew']));
      expect(again.detail).toMatchObject({
        reasons: ['everybody who is no member would get agent.crew'],
        report: { newly_allowed: 0 },
      });
    });

    it('should wait where too many would be affected, and not for what others do', async () => {
      await history(0, 20);
      const { code, detail } = await failure(put('member', ['chat.read', 'chat.write']));
      expect(code).toBe('ROLE_CHANGE_HELD');
      expect(detail.report).toMatchObject({ requests: 20, changed: 20, newly_allowed: 0 });
      expect((await put('contributor', ['chat.read', 'chat.write'])).role.version).toBe('2');
      expect((await put('newcomer', ['chat.read', 'chat.write'])).created).toBe(true);
      const other = `other-${randomUUID()}`;
      await createDao(fresh.database, { id: other });
      const there = aCaller({ daoId: other, principal: 'tg:1', gateway: false });
      await rights.roles.put(there, 'member', { entitlements: ['chat.read', 'chat.write'] }, {});
      guard = { ...GUARD, enabled: false };
      expect((await put('member', ['chat.read', 'chat.write'])).role.version).toBe('2');
    });

    it('should be told well within two seconds, for as many requests as the guard looks at', async () => {
      await history(100, 1_500);
      const began = performance.now();
      const { detail } = await failure(put('member', ['chat.read']));
      const took = performance.now() - began;
      expect(detail.report).toMatchObject({ requests: 1_000 });
      expect(took).toBeLessThan(2_000);
    });
  });
});
