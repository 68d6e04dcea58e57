import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import type { Env } from '../../config/env.js';
import { AccessRepository } from '../../src/adapters/store/access.repository.js';
import { AuditRepository } from '../../src/adapters/store/audit.repository.js';
import { ConfigRepository } from '../../src/adapters/store/config.repository.js';
import { RefusalsRepository } from '../../src/adapters/store/refusals.repository.js';
import { RequestsRepository } from '../../src/adapters/store/requests.repository.js';
import { ProfileFiles, type HashedConfig } from '../../src/adapters/profile-files.js';
import { AccessService } from '../../src/services/access.service.js';
import { ConfigGuard } from '../../src/services/config-guard.js';
import { ConfigService } from '../../src/services/config.service.js';
import { RecordedDecisions } from '../../src/services/recorded-decisions.js';
import { decide } from '../../src/domain/decide.js';
import { compare } from '../../src/domain/whatif.js';
import { aCaller, createDao } from '../factories/access.js';
import { aRequest } from '../factories/requests.js';
import { anAccess, anInput, aTable } from '../factories/routing.js';
import { DATABASES, type Fresh } from './databases.js';

const DAO = 'greenfood-dao';
const LOG = pino({ level: 'silent' });
const KEY = aCaller({ id: 'admin', principal: 'api:admin' });

const until = async (holds: () => boolean, what: string): Promise<void> => {
  for (const giveUpAt = Date.now() + 20_000; !holds();) {
    if (Date.now() > giveUpAt) throw new Error(`${what} did not come`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};

/** A profile in production whose chats go to one of two providers. */
const profileOf = (provider: string): string =>
  JSON.stringify({
    version: '1',
    environment: 'production',
    llm_providers: ['one', 'two'].map((name) => ({
      name,
      type: 'openai-compatible',
      config: { base_url: `http://${name}.invalid/v1`, model: 'm' },
    })),
    routing_rules: [{ name: 'chat', conditions: { mode: 'chat' }, use_provider: provider }],
  });

describe.each(DATABASES)('configurations on %s', (_name, open) => {
  let fresh: Fresh;
  let repository: ConfigRepository;
  let requests: RequestsRepository;

  beforeAll(async () => {
    fresh = await open();
    repository = new ConfigRepository(fresh.database);
    requests = new RequestsRepository(fresh.database);
    const access = new AccessRepository(fresh.database);
    await createDao(fresh.database);
    await access.grantPlatform('api:admin');
  });

  afterAll(() => fresh.drop());

  describe('the record', () => {
    const activation = (profile: string, hash: string) => ({
      profile,
      hash,
      document: { version: hash, list: [1, { a: null }] },
      compiled: aTable([{}], { hash: `table of ${hash}` }),
      confirmedBy: null,
    });

    it('should give back the last activation of a profile, as it was', async () => {
      const profile = randomUUID();
      expect(await repository.latest(profile)).toBeUndefined();
      await repository.record(activation(profile, 'a'));
      await repository.record({ ...activation(profile, 'b'), confirmedBy: 'tg:1' });
      await repository.record(activation(randomUUID(), 'c'));
      const latest = await repository.latest(profile);
      expect(latest).toEqual({ ...activation(profile, 'b'), confirmedBy: 'tg:1', at: expect.any(Date) as unknown });
    });

    it('should record a profile once in a row, and again after another', async () => {
      const profile = randomUUID();
      const outcomes = [];
      for (const hash of ['a', 'a', 'b', 'a', 'a']) outcomes.push(await repository.record(activation(profile, hash)));
      expect(outcomes).toEqual([true, false, true, true, false]);
    });

    it('should know a confirmation until something else becomes active', async () => {
      const profile = randomUUID();
      const hash = randomUUID();
      expect(await repository.confirmedBy(hash, profile)).toBeUndefined();
      await repository.confirm(hash, 'tg:1');
      expect(await repository.confirmedBy(hash, profile)).toBe('tg:1');
      await repository.record(activation(profile, 'a'));
      expect(await repository.confirmedBy(hash, profile)).toBeUndefined();
      await repository.confirm(hash, 'tg:2');
      expect(await repository.confirmedBy(hash, profile)).toBe('tg:2');
      expect(await repository.confirmedBy(randomUUID(), profile)).toBeUndefined();
    });
  });

  describe('their life', () => {
    let folder: string;
    let file: string;
    let services: ConfigService<HashedConfig>[];

    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'dagi-test-config-'));
      file = join(folder, 'own.yml');
      services = [];
      await writeFile(file, profileOf('one'));
      await fresh.database.all.deleteFrom('requests').execute();
    });
    afterEach(async () => {
      for (const service of services) await service.close();
      await rm(folder, { recursive: true });
    });

    /** A process of the product, as far as its configuration goes. */
    async function aProcess(): Promise<ConfigService<HashedConfig>> {
      const env = { DAGI_PROFILE: file } as Env;
      const audit = new AuditRepository(fresh.database);
      const recorded = new RecordedDecisions(requests, new RefusalsRepository(fresh.database));
      const service = new ConfigService(new ProfileFiles(env, LOG), {
        repository,
        guard: new ConfigGuard(recorded),
        audit,
        access: new AccessService(new AccessRepository(fresh.database), audit, () => DAO),
        log: LOG,
      });
      services.push(service);
      await service.start();
      return service;
    }

    /** Requests that the running profile has decided. */
    async function decided(service: ConfigService<HashedConfig>, count: number): Promise<void> {
      const { routing } = service.current();
      for (let n = 0; n < count; n += 1) {
        const result = decide(routing, anInput({ prompt: `Question ${n}` }));
        if (!result.allowed) throw new Error(result.code);
        await requests.accept(aRequest({ decision: result.decision, access: anAccess(), source: 'telegram' }));
      }
    }

    const chainOf = ({ routing }: HashedConfig): unknown => routing.rules[0]?.use;

    it('should hold a change that is too large, over restarts, until it is confirmed, in every process', async () => {
      const first = await aProcess();
      const other = await aProcess();
      await decided(first, 3);
      await writeFile(file, profileOf('two'));
      await until(() => first.warnings().length === 1 && other.warnings().length === 1, 'the objection');
      expect(first.warnings()[0]).toContain('3 of 3 recorded requests');
      expect(chainOf(first.current())).toEqual({ kind: 'chain', providers: ['one'] });

      const restarted = await aProcess();
      expect(chainOf(restarted.current())).toEqual({ kind: 'chain', providers: ['one'] });
      const { waiting, active } = await restarted.state(KEY);
      expect(waiting).toMatchObject({ report: { requests: 3, changed: 3, newly_allowed: 0 } });
      expect(active.hash).toBe(first.current().hash);

      const hash = waiting?.hash ?? '';
      await restarted.apply(KEY, hash);
      const confirmedAt = Date.now();
      await until(() => [first, other].every((one) => one.current().hash === hash), 'the confirmation');
      expect(Date.now() - confirmedAt).toBeLessThan(5_000);
      expect(chainOf(other.current())).toEqual({ kind: 'chain', providers: ['two'] });

      const again = await aProcess();
      expect((await again.state(KEY)).waiting).toBeNull();
      expect(again.current().hash).toBe(hash);
      const latest = await repository.latest(file);
      expect(latest).toMatchObject({ hash, confirmedBy: 'api:admin' });
      const audit = await fresh.database.all
        .selectFrom('audit')
        .where('subject', '=', hash)
        .orderBy('seq')
        .select(['action', 'actor', 'chain'])
        .execute();
      expect(audit).toContainEqual({ action: 'config.apply', actor: 'api:admin', chain: '' });
      expect(audit.filter(({ action }) => action === 'config.activate')).toHaveLength(1);
    });

    it('should take a change at once that changes little', async () => {
      const service = await aProcess();
      await decided(service, 2);
      const before = service.current().hash;
      await writeFile(file, profileOf('one').replace('"m"', '"another model"'));
      await until(() => service.current().hash !== before, 'the change');
      expect(service.warnings()).toEqual([]);
      expect((await repository.latest(file))?.hash).toBe(service.current().hash);
    });
  });
});

describe.each(DATABASES)('ten thousand recorded requests on %s', (_name, open) => {
  it('should be decided again as they were, every one of them', async () => {
    const fresh = await open();
    const db = fresh.database.of(DAO);
    await createDao(fresh.database);
    const table = aTable([
      { name: 'words', priority: 1, condition: { kind: 'prompt_matches', pattern: '(?i)budget|vote' } },
      { name: 'long', priority: 2, condition: { kind: 'prompt_length', min: 200 } },
      { name: 'chosen', priority: 3, use: { kind: 'metadata', key: 'provider', allow: ['third'] }, fallbacks: [] },
      {},
    ]);
    const count = 10_000;
    const prompts = ['What is our BUDGET?', 'Hello', 'long '.repeat(100), '👋🏽 привіт', '\ud800 broken'];
    const rows = Array.from({ length: count }, (_, n) => {
      const prompt = `${prompts[n % prompts.length] ?? ''} ${n}`.toWellFormed();
      const metadata: Record<string, unknown> = n % 3 === 0 ? { provider: 'third', n } : {};
      const access = anAccess([['member'], ['contributor'], ['admin']][n % 3]);
      const result = decide(table, anInput({ prompt, metadata, access, source: undefined }));
      if (!result.allowed) throw new Error(result.code);
      return { ...aRequest({ prompt, metadata, decision: result.decision, access }), at: new Date(n * 1_000) };
    });
    for (let at = 0; at < count; at += 500) {
      const part = rows.slice(at, at + 500);
      await db
        .insertInto('requests')
        .values(
          part.map((one) => ({
            id: one.id,
            dao_id: one.daoId,
            actor: one.actor,
            key_id: one.keyId,
            mode: one.mode,
            metadata: JSON.stringify(one.metadata),
            access: JSON.stringify(one.access),
            decision: JSON.stringify(one.decision),
            status: 'completed' as const,
            received_at: one.at,
            deadline_at: one.at,
            ended_at: one.at,
          })),
        )
        .execute();
      await db
        .insertInto('turns')
        .values(part.map((one) => ({ request_id: one.id, dao_id: one.daoId, prompt: one.prompt, created_at: one.at })))
        .execute();
    }
    const recorded = new RecordedDecisions(
      new RequestsRepository(fresh.database),
      new RefusalsRepository(fresh.database),
    );
    const all = [];
    for await (const page of recorded.newest(count * 2)) all.push(...page);
    expect(new Set(all.map(({ id }) => id)).size).toBe(count);
    expect(compare({ table }, all)).toMatchObject({ requests: count, unchanged: count, changed: 0, undecidable: 0 });
    await fresh.drop();
  });
});
