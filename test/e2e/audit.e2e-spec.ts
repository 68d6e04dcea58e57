import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import { sql } from 'kysely';
import { exportChain } from '../../src/cli/audit-export.js';
import { verifyExport } from '../../src/cli/audit-verify.js';
import { DagiClient } from '../../src/cli/client.js';
import type { SignedHead, SigningReport } from '../../src/contracts/audit.js';
import { AUDIT_HEADS_SCHEDULE } from '../../src/contracts/ids.js';
import type { ShownRow } from '../../src/services/audit.service.js';
import { startFakeOpenAi } from '../fakes/fake-openai.js';
import type { WireFake } from '../fakes/wire-fake.js';
import { administratorOf } from '../medium/databases.js';
import { temporalAddress } from '../support/temporal.js';
import { ADMIN_KEY, chatProfile, DAO, fakeProvider, Product, until } from './harness.js';

describe('the record', () => {
  let fake: WireFake;
  let product: Product;
  let member: string;
  let admin: string;

  beforeAll(async () => {
    fake = await startFakeOpenAi();
    product = await Product.open({ profile: chatProfile([fakeProvider('fake', fake)], ['fake']) });
    member = (await product.key({ dao_id: DAO, principal: 'tg:12345' })).key;
    admin = (await product.key({ dao_id: DAO, principal: 'tg:1' })).key;
  });

  afterAll(async () => {
    await product.close();
    await fake.close();
  });

  async function rows(query: string, key = ADMIN_KEY): Promise<ShownRow[]> {
    const { status, body } = await product.call('GET', `/audit?limit=200&${query}`, { key });
    expect(status).toBe(200);
    return (body as unknown as { rows: ShownRow[] }).rows;
  }

  async function exported(dao: string | undefined): Promise<string> {
    const file = join(product.home, `${dao ?? 'installation'}.jsonl`);
    const client = new DagiClient({ url: product.url, key: ADMIN_KEY });
    await exportChain(client, { dao, out: file }, new PassThrough(), new PassThrough());
    return file;
  }

  /** What an auditor has who noted the key on the first day. */
  async function verified(dao?: string, heads?: string[]): Promise<{ ok: boolean; text: string }> {
    const { body } = await product.call('GET', '/audit/key', { key: member });
    const { keys } = body as unknown as { keys: { public_key: string }[] };
    return verifyExport(await exported(dao), { publicKey: keys.map((one) => one.public_key), heads });
  }

  const headsOf = async (folder: string): Promise<SignedHead[]> => {
    const text = await readFile(join(product.home, 'audit', folder, 'heads.jsonl'), 'utf8').catch(() => '');
    return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as SignedHead]));
  };

  it('should hold a denial, with who was refused what, in the chain of the DAO', async () => {
    const refused = await product.call('GET', '/audit', { key: member });
    expect(refused.body.error).toMatchObject({ code: 'RBAC_PERMISSION_DENIED', required_entitlement: 'audit.read' });
    const [row] = await rows('action=access.denied&actor=tg:12345', admin);
    expect(row).toMatchObject({ actor_ids: ['tg:12345'], subject_ids: ['tg:12345'] });
    expect(row).toMatchObject({ detail: { required_entitlement: 'audit.read', roles: ['member'] } });
    expect(row?.entry).not.toContain('tg:');
  });

  it('should hold the creation of a key, there too', async () => {
    const { id } = await product.key({ dao_id: DAO, principal: 'tg:12345' }, { key: admin });
    const [row] = (await rows(`dao_id=${DAO}&action=key.create`)).slice(-1);
    expect(row).toMatchObject({ subject: id, actor_ids: ['tg:1'] });
  });

  it('should hold a reload of the configuration in the chain of the installation', async () => {
    const profile = chatProfile([fakeProvider('fake', fake)], ['fake'], { session_tokens: 50 });
    await writeFile(join(product.home, 'profile.yml'), JSON.stringify(profile));
    expect((await product.call('POST', '/config/reload')).status).toBe(200);
    const activated = async (): Promise<ShownRow[]> => rows('action=config.activate');
    await until(async () => (await activated()).length === 2, 'the reload on the record');
    expect((await activated())[1]).toMatchObject({ actor: 'api:system' });
    expect((await product.call('GET', '/audit', { key: admin })).status).toBe(200);
    expect((await rows('', admin)).every(({ entry }) => entry.includes(`"chain":"${DAO}"`))).toBe(true);
  });

  it('should be proven to its end by an export, for the DAO and for the installation', async () => {
    for (const dao of [DAO, undefined]) {
      const { ok, text } = await verified(dao);
      expect(text).toMatch(/proven up to row \d+, by the head/);
      expect(text).not.toContain('NOT proven');
      expect(ok).toBe(true);
    }
  });

  it('should be signed each day, where everybody can read it', async () => {
    const connection = await Connection.connect({ address: temporalAddress() });
    try {
      await new Client({ connection }).schedule.getHandle(AUDIT_HEADS_SCHEDULE).trigger('ALLOW_ALL');
    } finally {
      await connection.close();
    }
    await until(async () => (await headsOf(DAO)).length > 0 && (await headsOf('_platform')).length > 0, 'heads');
    const signed = await product.call('POST', '/audit/heads');
    expect(signed.status).toBe(200);
    const { day } = signed.body as unknown as SigningReport;
    expect(await headsOf(DAO)).toMatchObject([{ chain: DAO, day }]);
    expect((await stat(join(product.home, 'audit', DAO, 'heads.jsonl'))).mode & 0o777).toBe(0o644);
    const again = await product.call('POST', '/audit/heads');
    expect(again.body).toMatchObject({ day, signed: 0, published: 0, broken: [] });
    const listed = await product.call('GET', '/audit/heads', { key: admin });
    expect(listed.body).toMatchObject({ heads: await headsOf(DAO), next: null });
    expect((await product.call('POST', '/audit/heads', { key: admin })).status).toBe(403);
    expect((await product.call('GET', '/audit/heads', { key: member })).status).toBe(403);
    const posted = join(product.home, 'audit', DAO, 'heads.jsonl');
    expect(await verified(DAO, [posted])).toMatchObject({ ok: true });
  });

  it('should count a flood of denials, and go on for others', async () => {
    const denials = async (): Promise<ShownRow[]> =>
      (await rows(`dao_id=${DAO}&action=access.denied`)).filter(({ actor }) => actor.startsWith('x_'));
    const guest = (await product.key({ dao_id: DAO, principal: 'tg:404' })).key;
    const flood = Array.from({ length: 200 }, () => product.call('GET', '/keys', { key: guest }));
    expect((await product.route('Hello')).status).toBe(200);
    expect(new Set((await Promise.all(flood)).map(({ status }) => status))).toEqual(new Set([403]));
    expect(await denials()).toHaveLength(1);
    await product.restart();
    const after = await denials();
    expect(after).toHaveLength(2);
    const [first, repeats] = after;
    expect(repeats).toMatchObject({
      actor: first?.actor,
      detail: { required_entitlement: 'key.manage', times: 199 },
    });
    expect(await rows(`dao_id=${DAO}&actor=${first?.actor}`)).toHaveLength(2);
    // By the id of a platform only members are found.
    expect(await rows(`dao_id=${DAO}&actor=tg:404`)).toEqual([]);
    expect((await verified(DAO)).ok).toBe(true);
  });

  it('should be found out when somebody with the database changes it, and not be signed any more', async () => {
    const posted = join(product.home, 'audit', DAO, 'heads.jsonl');
    const owner = administratorOf(product.databaseUrl ?? '');
    try {
      await sql`update audit set entry = replace(entry, 'key.create', 'key.forged') where chain = ${DAO} and seq = 1`.execute(
        owner,
      );
      const altered = await verified(DAO, [posted]);
      expect(altered.ok).toBe(false);
      expect(altered.text).toMatch(/^1 +altered/m);
      await sql`delete from audit where chain = ${DAO} and seq > 1`.execute(owner);
      const cut = await verified(DAO, [posted]);
      expect(cut.text).toMatch(/^2 to \d+ +removed/m);
      expect((await product.call('POST', '/audit/heads')).body).toMatchObject({ broken: [DAO] });
      const shown = await product.call('GET', '/audit/heads', { key: admin });
      expect(shown.body).toMatchObject({ holds: false, now: null });
      expect(await readFile(await exported(DAO), 'utf8')).toContain('"ends_at":null');
    } finally {
      await owner.destroy();
    }
  });
});

describe('a record in production without a key', () => {
  it('should not be signed, which /ready says with the remedy', async () => {
    const fake = await startFakeOpenAi();
    const profile = { ...chatProfile([fakeProvider('fake', fake)], ['fake']), environment: 'production' };
    const product = await Product.open({ profile });
    try {
      const ready = await product.call('GET', '/ready', { key: null });
      const warnings = (ready.body as unknown as { warnings: string[] }).warnings;
      expect(warnings).toEqual([expect.stringContaining('set DAGI_SIGNING_KEY')]);
      expect((await product.call('POST', '/audit/heads')).body).toMatchObject({ signed: 0, published: 0 });
      expect((await product.call('GET', '/audit/key')).body).toMatchObject({ key_id: null, keys: [] });
    } finally {
      await product.close();
      await fake.close();
    }
  });
});
