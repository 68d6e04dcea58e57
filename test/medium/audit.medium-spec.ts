import { createHash, generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { pino } from 'pino';
import { isSignedBy, publicKeysIn, SigningKey } from '../../src/adapters/signing-key.js';
import { AccessRepository } from '../../src/adapters/store/access.repository.js';
import { AuditHeadsRepository } from '../../src/adapters/store/audit-heads.repository.js';
import { AuditRepository } from '../../src/adapters/store/audit.repository.js';
import type { AuditEntry, AuditRow, HeadKey, HeadPublisher, SignedHead } from '../../src/contracts/audit.js';
import { verifyChain, type Verdict } from '../../src/domain/audit-verify.js';
import { AccessService } from '../../src/services/access.service.js';
import { AuditHeadsService } from '../../src/services/audit-heads.service.js';
import { AuditService } from '../../src/services/audit.service.js';
import { aCaller, createDao } from '../factories/access.js';
import { DATABASES, type Fresh } from './databases.js';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const aSigningKey = (): SigningKey => new SigningKey(generateKeyPairSync('ed25519').privateKey);
const ADMIN = aCaller({ principal: 'api:admin' });

describe.each(DATABASES)('the record on %s', (_name, open) => {
  let fresh: Fresh;
  let audit: AuditRepository;
  let heads: AuditHeadsRepository;
  let access: AccessService;
  /** Each test has a DAO of its own: nobody can take rows back. */
  let dao: string;
  let count = 0;

  beforeAll(async () => {
    fresh = await open();
    audit = new AuditRepository(fresh.database);
    heads = new AuditHeadsRepository(fresh.database);
    const rights = new AccessRepository(fresh.database);
    await rights.grantPlatform('api:admin');
    access = new AccessService(rights, audit, () => undefined);
  });

  beforeEach(async () => {
    count += 1;
    dao = `dao-${count}`;
    await createDao(fresh.database, { id: dao });
  });

  afterAll(async () => {
    await access.close();
    await fresh.drop();
  });

  const rowsOf = (daoId: string | null): Promise<AuditRow[]> => audit.page(daoId, { after: 0, limit: 1_000 });
  const entriesOf = async (daoId: string | null): Promise<AuditEntry[]> =>
    (await rowsOf(daoId)).map(({ entry }) => JSON.parse(entry) as AuditEntry);
  const append = (subject: string, actor = 'tg:1', daoId: string | null = dao): Promise<string> =>
    audit.append(daoId, { actor, action: 'role.edit', subject });

  const verdictOf = async (daoId: string | null, of: readonly SignedHead[] = [], key?: HeadKey): Promise<Verdict> => {
    const [open] = key ? publicKeysIn(key.public_key) : [];
    const verifies = (head: SignedHead, text: string): boolean | undefined =>
      open && head.key_id === key?.key_id ? isSignedBy(open, text, head.signature) : undefined;
    return verifyChain(await rowsOf(daoId), { sha256, chain: daoId ?? '', heads: of, verifies });
  };

  it('should be one chain, whoever writes at once', async () => {
    await Promise.all(Array.from({ length: 30 }, (_, place) => append(`role-${place}`)));
    expect(await verdictOf(dao)).toMatchObject({ ok: true, rows: 30 });
    const { seq, hash } = await heads.state(dao);
    expect(await rowsOf(dao)).toEqual(expect.arrayContaining([expect.objectContaining({ seq, hash })]));
    expect(seq).toBe(30);
  });

  it('should hold several rows of a change, or none if it fails', async () => {
    await audit.recorded(dao, async (_db, record) => {
      for (const subject of ['a', 'b']) await record({ actor: 'tg:1', action: 'role.edit', subject });
    });
    const failing = audit.recorded(dao, async (_db, record) => {
      await record({ actor: 'tg:1', action: 'role.edit', subject: 'c' });
      throw new Error('not after all');
    });
    await expect(failing).rejects.toThrow('not after all');
    await append('d');
    expect((await entriesOf(dao)).map(({ seq, subject }) => [seq, subject])).toEqual([
      [1, 'a'],
      [2, 'b'],
      [3, 'd'],
    ]);
    expect((await verdictOf(dao)).ok).toBe(true);
  });

  it('should name members by their ids, strangers so that nobody reads it back, and keys as they are', async () => {
    for (const actor of ['tg:12345', 'tg:404', 'tg:404', 'api:k1']) await append('role', actor);
    const [member, stranger, again, key] = (await entriesOf(dao)).map(({ actor }) => actor);
    expect(member).toMatch(/^p_[0-9a-f]{32}$/);
    expect(stranger).toMatch(/^x_[0-9a-f]{32}$/);
    expect(again).toBe(stranger);
    expect(key).toBe('api:k1');
    const other = `${dao}-other`;
    await createDao(fresh.database, { id: other });
    await append('role', 'tg:404', other);
    expect((await entriesOf(other))[0]?.actor).not.toBe(stranger);
  });

  it('should be found by action and by whoever acted, under whichever id', async () => {
    for (const actor of ['tg:12345', 'tg:404', 'tg:1']) await append('role', actor);
    await audit.append(dao, { actor: 'tg:1', action: 'key.create', subject: 'k' });
    const seqs = async (filter: { action?: string; actor?: string }): Promise<number[]> =>
      (await audit.page(dao, { after: 0, limit: 10, ...filter })).map(({ seq }) => seq);
    expect(await seqs({ action: 'key.create' })).toEqual([4]);
    expect(await seqs({ actor: 'tg:1' })).toEqual([3, 4]);
    const [member = '', stranger = ''] = (await entriesOf(dao)).map(({ actor }) => actor);
    expect(await seqs({ actor: member })).toEqual([1]);
    expect(await seqs({ actor: stranger })).toEqual([2]);
    // Nobody is told which stranger an id is.
    expect(await seqs({ actor: 'tg:404' })).toEqual([]);
    expect(await seqs({ actor: 'tg:1', action: 'role.edit' })).toEqual([3]);
    expect(await seqs({ actor: 'tg:nobody' })).toEqual([]);
  });

  it('should be shown page by page to those who may read it, with the ids of members', async () => {
    const sut = new AuditService(audit, access);
    for (const actor of ['tg:12345', 'tg:404', 'tg:1']) await append('role', actor);
    const asked = { daoId: dao, userId: 'tg:1', limit: 2 };
    const first = await sut.page(aCaller(), asked);
    expect(first.rows.map(({ seq, actor_ids }) => [seq, actor_ids])).toEqual([
      [1, ['tg:12345']],
      [2, []],
    ]);
    const second = await sut.page(aCaller(), { ...asked, after: Number(first.next) });
    expect(second).toMatchObject({ rows: [{ seq: 3, actor_ids: ['tg:1'], action: 'role.edit' }], next: null });
    const denied = { code: 'RBAC_PERMISSION_DENIED' };
    await expect(sut.page(aCaller(), { ...asked, userId: 'tg:12345' })).rejects.toMatchObject(denied);
    await expect(sut.page(aCaller(), { limit: 2 })).rejects.toMatchObject(denied);
    expect((await sut.page(ADMIN, { limit: 2 })).rows.every(({ entry }) => entry.includes('"chain":""'))).toBe(true);
    expect((await sut.page(ADMIN, { ...asked, userId: undefined, limit: 50 })).rows).toHaveLength(4);
  });

  describe('its heads', () => {
    const published: SignedHead[] = [];
    const publisher: HeadPublisher = {
      publish: (head) => {
        const isNew = !published.some(({ chain, day }) => chain === head.chain && day === head.day);
        if (isNew) published.push(head);
        return Promise.resolve(isNew);
      },
    };
    const key = aSigningKey();
    const serviceOf = (signing: HeadKey | undefined): AuditHeadsService =>
      new AuditHeadsService({
        ...{ heads, audit, access, key: signing },
        publishers: [publisher],
        log: pino({ level: 'silent' }),
      });
    const sut = (): AuditHeadsService => serviceOf(key);
    const ofDao = (): SignedHead[] => published.filter(({ chain }) => chain === dao);

    it('should be signed once a day for every chain, and prove it', async () => {
      await append('role');
      const report = await sut().signAll();
      expect(report.signed).toBeGreaterThan(0);
      expect(report.broken).toEqual([]);
      expect(ofDao()).toMatchObject([{ day: report.day, seq: 1, key_id: key.key_id }]);
      await append('another');
      expect(await sut().signAll()).toMatchObject({ signed: 0, published: 0 });
      expect(await verdictOf(dao, ofDao(), key)).toMatchObject({ ok: true, proven: { seq: 1 }, unproven: 1 });
    });

    it('should be shown, with one of this moment', async () => {
      await append('role');
      await sut().signAll();
      await append('another');
      const asked = { daoId: dao, userId: 'tg:1', limit: 1 };
      const { heads: shown, next, now } = await sut().list(aCaller(), asked);
      expect(shown).toEqual(ofDao());
      expect(next).toBeNull();
      expect(now?.seq).toBe(2);
      expect(await verdictOf(dao, [...shown, now!], key)).toMatchObject({ ok: true, proven: { seq: 2 }, unproven: 0 });
      const after = shown[0]?.day;
      expect((await sut().list(aCaller(), { ...asked, after })).heads).toEqual([]);
      const denied = sut().list(aCaller(), { ...asked, userId: 'tg:12345' });
      await expect(denied).rejects.toMatchObject({ code: 'RBAC_PERMISSION_DENIED' });
    });

    it('should be kept in the order of days, page by page, whoever signs', async () => {
      const head = { chain: dao, seq: 1, hash: 'h', at: '2026-11-01T00:05:00.123Z', key_id: 'k', signature: 's' };
      for (const day of ['2026-11-02', '2026-11-01', '2026-11-03']) await heads.keep({ ...head, day });
      expect((await heads.page(dao, '', 2)).map(({ day }) => day)).toEqual(['2026-11-01', '2026-11-02']);
      expect(await heads.page(dao, '2026-11-02', 2)).toEqual([{ ...head, day: '2026-11-03' }]);
      const again = await heads.keep({ ...head, day: '2026-11-03', signature: 'another' });
      expect(again).toEqual({ kept: { ...head, day: '2026-11-03' }, isNew: false });
    });

    it('should be signed on from the chain where somebody broke off', async () => {
      await append('role');
      const told: string[] = [];
      await sut().signAll(dao, (chain) => told.push(chain));
      expect(told.every((chain) => chain > dao)).toBe(true);
      await sut().signAll(undefined, (chain) => told.push(chain));
      expect(told).toContain(dao);
      expect(told).toContain('');
    });

    it('should not be signed of a chain that is not the one that was signed before', async () => {
      await append('role');
      const forged = { chain: dao, day: '2026-10-01', seq: 1, hash: 'another', at: '2026-10-01T00:05:00.000Z' };
      await heads.keep({ ...forged, key_id: key.key_id, signature: 's' });
      expect((await sut().signAll()).broken).toEqual([dao]);
      expect(ofDao()).toEqual([]);
      // Or one that is shorter.
      const shorter = { ...forged, day: '2026-10-02', seq: 7 };
      await heads.keep({ ...shorter, key_id: key.key_id, signature: 's' });
      expect((await sut().signAll()).broken).toContain(dao);
    });

    it('should be signed of all chains, also where one cannot be posted, which is told at the end', async () => {
      await append('role');
      const tried: string[] = [];
      const failing: HeadPublisher = {
        publish: ({ chain }) => {
          tried.push(chain);
          return Promise.reject(new Error('no such folder'));
        },
      };
      const unlucky = new AuditHeadsService({
        ...{ heads, audit, access, key, log: pino({ level: 'silent' }) },
        publishers: [failing, publisher],
      });
      await expect(unlucky.signAll()).rejects.toThrow(/^\d+ signed heads could not be posted$/);
      expect(new Set(tried).size).toBeGreaterThan(1);
      expect(ofDao()).toHaveLength(1);
    });

    it('should not be signed for an answer either, of a chain that is not the one that was signed before', async () => {
      const asked = { daoId: dao, userId: 'tg:1', limit: 1 };
      const now = async (): Promise<SignedHead | null> => (await sut().list(aCaller(), asked)).now;
      expect(await now()).toMatchObject({ seq: 0, hash: '' });
      await append('role');
      expect(await now()).toMatchObject({ seq: 1 });
      await sut().signAll();
      expect(await now()).toMatchObject({ seq: 1 });
      // Somebody who owns the database says that the chain never began.
      await sql`update audit_chains set seq = 0, hash = '' where chain = ${dao}`.execute(fresh.database.all);
      expect(await now()).toBeNull();
      await sql`update audit_chains set seq = 1, hash = 'another' where chain = ${dao}`.execute(fresh.database.all);
      expect(await now()).toBeNull();
      const { heads: signed } = await sut().list(aCaller(), asked);
      expect(signed).toEqual(ofDao());
    });

    it('should be signed by the administrator of the installation, and by no other', async () => {
      await expect(sut().signFor(aCaller())).rejects.toMatchObject({ code: 'RBAC_PERMISSION_DENIED' });
      expect(await sut().signFor(ADMIN)).toMatchObject({ signed: expect.any(Number) as unknown });
    });

    it('should be checkable after the key has changed: former ones stay on the record, once each', async () => {
      const next = serviceOf(aSigningKey());
      await sut().signAll();
      await next.signAll();
      await serviceOf(key).signAll();
      const { key_id: current, keys } = await next.keys();
      expect(keys.map(({ key_id }) => key_id)).toEqual([current, key.key_id]);
      expect(keys[1]?.public_key).toBe(key.public_key);
      const taken = (await entriesOf(null)).filter(({ action }) => action === 'audit.key');
      expect(taken.map(({ subject }) => subject)).toEqual([key.key_id, current]);
    });

    it('should be signed by nobody without a key, which is said', async () => {
      await append('role');
      const without = serviceOf(undefined);
      expect(await without.signAll()).toMatchObject({ signed: 0, published: 0 });
      expect((await without.list(ADMIN, { daoId: dao, limit: 1 })).now).toBeNull();
      expect(without.warnings()).toEqual([expect.stringContaining('DAGI_SIGNING_KEY')]);
      expect(sut().warnings()).toEqual([]);
      expect((await without.keys()).key_id).toBeNull();
    });
  });

  it('should let a storm in one DAO take two connections at most, and others go on', async () => {
    const other = `${dao}-other`;
    await createDao(fresh.database, { id: other });
    const isEmbedded = fresh.database.kind === 'embedded';
    let running = 0;
    let most = 0;
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const storm = Array.from({ length: 40 }, () =>
      audit.recorded(dao, async (_db, record) => {
        running += 1;
        most = Math.max(most, running);
        if (!isEmbedded) await held;
        await record({ actor: 'tg:1', action: 'role.edit', subject: 'role' });
        running -= 1;
      }),
    );
    await append('role', 'tg:1', other);
    release();
    await Promise.all(storm);
    expect(most).toBe(1);
    expect(await verdictOf(dao)).toMatchObject({ ok: true, rows: 40 });
    expect(await verdictOf(other)).toMatchObject({ ok: true, rows: 1 });
  });
});
