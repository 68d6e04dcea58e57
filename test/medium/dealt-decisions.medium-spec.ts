import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import type { Db } from '../../src/adapters/store/database.js';
import {
  KEPT_DAYS,
  KEPT_REFUSALS,
  KEPT_TEXT,
  RefusalsRepository,
  type NewRefusal,
} from '../../src/adapters/store/refusals.repository.js';
import { RequestsRepository } from '../../src/adapters/store/requests.repository.js';
import type { RecordedDecision } from '../../src/contracts/whatif.js';
import { promptInputs } from '../../src/domain/decide.js';
import { holds, promptMatcher } from '../../src/domain/conditions.js';
import { RecordedDecisions } from '../../src/services/recorded-decisions.js';
import { createDao } from '../factories/access.js';
import { aRequest, someAccess } from '../factories/requests.js';
import { DATABASES, type Fresh } from './databases.js';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const now = Date.now();
const minutesAgo = (minutes: number): Date => new Date(now - minutes * MINUTE);
const daysAgo = (days: number): Date => new Date(now - days * DAY);
const EVER = new Date(0);

const aRefusal = (id: string, changes: Partial<NewRefusal> = {}): NewRefusal => ({
  id,
  daoId: 'calm',
  actor: 'tg:9',
  at: minutesAgo(60),
  code: 'NO_ROUTE',
  configHash: 'h',
  inputs: {
    mode: 'chat',
    agent: undefined,
    source: undefined,
    metadata: {},
    ...promptInputs('Who am I?'),
    access: someAccess(),
  },
  ...changes,
});

/** How many of each kind. */
const tally = (ids: readonly string[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const id of ids) counts[id.replace(/-\d+$/, '')] = (counts[id.replace(/-\d+$/, '')] ?? 0) + 1;
  return counts;
};

describe.each(DATABASES)('a sample of recorded decisions on %s', (_name, open) => {
  let fresh: Fresh;
  let db: Db;
  let requests: RequestsRepository;
  let refusals: RefusalsRepository;
  let recorded: RecordedDecisions;

  beforeAll(async () => {
    fresh = await open();
    db = fresh.database.all;
    requests = new RequestsRepository(fresh.database);
    refusals = new RefusalsRepository(fresh.database);
    recorded = new RecordedDecisions(requests, refusals);
    for (const id of ['loud', 'noisy', 'calm']) await createDao(fresh.database, { id });
    // The flood is younger than all that the third DAO has.
    await flood('loud', 'RBAC_PERMISSION_DENIED');
    await flood('loud', 'CREW_NOT_FOUND');
    await flood('noisy', 'CREW_NOT_FOUND');
    for (let n = 0; n < 7; n += 1) await refusals.add(aRefusal(`calm lost-${n}`, { at: minutesAgo(600 + n) }));
    await refusals.add(aRefusal('calm denied-1', { code: 'RBAC_PERMISSION_DENIED', at: minutesAgo(9_000) }));
    await accept('loud', 3_000, 1);
    await accept('noisy', 3_000, 1);
    await accept('calm', 30, 600);
  });
  afterAll(() => fresh.drop());

  /** As many refusals as are kept, one a second. */
  async function flood(daoId: string, code: string): Promise<void> {
    const { id, actor, configHash, inputs } = aRefusal(`${daoId} ${code}`);
    await sql`
      insert into refusals (id, dao_id, actor, at, code, config_hash, inputs)
      select ${`${id}-`}::text || n, ${daoId}::text, ${actor}::text, ${minutesAgo(1)}::timestamptz - n * interval '1 second',
        ${code}::text, ${configHash}::text, ${JSON.stringify(inputs)}::jsonb
      from generate_series(1, ${KEPT_REFUSALS}::int) n
    `.execute(db);
  }

  /** Accepted requests with prompts, one a second, the youngest that old. */
  async function accept(daoId: string, count: number, minutes: number): Promise<void> {
    const first = aRequest({ id: `${daoId}-0`, daoId, receivedAt: minutesAgo(minutes) });
    await requests.accept(first);
    await sql`
      insert into requests (id, dao_id, actor, key_id, mode, metadata, access, decision, status, received_at, deadline_at)
      select ${`${daoId}-`}::text || n, dao_id, actor, key_id, mode, metadata, access, decision, status,
        received_at - n * interval '1 second', deadline_at
      from requests, generate_series(1, ${count - 1}::int) n where id = ${first.id}
    `.execute(db);
    await sql`
      insert into turns (request_id, dao_id, prompt, created_at)
      select ${`${daoId}-`}::text || n, dao_id, prompt, created_at from turns, generate_series(1, ${count - 1}::int) n
      where request_id = ${first.id}
    `.execute(db);
  }

  async function dealt(limit: number): Promise<RecordedDecision[]> {
    const found: RecordedDecision[] = [];
    for await (const page of recorded.dealt(limit)) found.push(...page);
    return found;
  }

  it('should hold all of a DAO that others flood, refused and accepted', async () => {
    const found = await dealt(1_000);
    const refused = found.filter(({ was }) => !was.allowed).map(({ id }) => id);
    const accepted = found.filter(({ was }) => was.allowed).map(({ id }) => id);
    expect(tally(refused)).toEqual({
      'calm lost': 7,
      'calm denied': 1,
      'loud RBAC_PERMISSION_DENIED': 146,
      'loud CREW_NOT_FOUND': 146,
      'noisy CREW_NOT_FOUND': 200,
    });
    expect(tally(accepted)).toEqual({ calm: 30, loud: 235, noisy: 235 });
    expect(new Set([...refused, ...accepted]).size).toBe(1_000);
    // Of a DAO it is the newest ones.
    expect(new Set(accepted)).toContain('loud-234');
    expect(new Set(refused)).toContain('loud CREW_NOT_FOUND-1');
  });

  it('should begin with the newest of each DAO, and of each code of it', async () => {
    const refused = await refusals.page(EVER, { before: 0, until: new Date() }, 6);
    expect(refused.map(({ id }) => id)).toEqual([
      'noisy CREW_NOT_FOUND-1',
      'loud RBAC_PERMISSION_DENIED-1',
      'calm lost-0',
      // The second of each: of a DAO that was refused for two reasons it is the newest of the other one.
      'loud CREW_NOT_FOUND-1',
      'noisy CREW_NOT_FOUND-2',
      'calm denied-1',
    ]);
    const accepted = await requests.decided(EVER, { before: 3, until: new Date() }, 3);
    expect(accepted.map(({ id }) => id)).toEqual(['noisy-1', 'loud-1', 'calm-1']);
    expect(accepted[0]?.inputs.promptHead).toBeDefined();
  });

  it('should come out the same however it is paged, without what came since', async () => {
    const until = minutesAgo(2);
    const whole = (await requests.decided(EVER, { before: 0, until }, 200)).map(({ id }) => id);
    const paged: string[] = [];
    for (let before = 0; before < 200; before += 7) {
      const page = await requests.decided(EVER, { before, until }, Math.min(7, 200 - before));
      paged.push(...page.map(({ id }) => id));
    }
    expect(paged).toEqual(whole);
    expect(whole).not.toContain('loud-0');
  });

  it('should leave those who ask "what if" with the newest of all', async () => {
    const found: string[] = [];
    for await (const page of recorded.newest(1_000, minutesAgo(300))) found.push(...page.map(({ id }) => id));
    expect(found.some((id) => id.startsWith('calm'))).toBe(false);
    expect(found).toHaveLength(1_000);
  });

  describe('of refusals, which are kept for a while', () => {
    it('should have of the metadata what rules can compare, and the names of the rest', async () => {
      const metadata = {
        task_type: 'review',
        attempt: 3,
        dry: false,
        none: null,
        long: 'x'.repeat(KEPT_TEXT),
        longer: 'x'.repeat(KEPT_TEXT + 1),
        list: ['my secret'],
        object: { my: 'secret' },
      };
      const inputs = { ...aRefusal('').inputs, metadata };
      await refusals.add(aRefusal('metadata', { inputs, at: new Date(now + MINUTE) }));
      const [found] = await refusals.page(EVER, undefined, 1);
      expect(found?.inputs.metadata).toStrictEqual({
        ...metadata,
        longer: { left_out: 'string' },
        list: { left_out: 'list' },
        object: { left_out: 'object' },
      });
      const subject = { inputs: found!.inputs, roles: [], matches: promptMatcher('') };
      expect(holds({ kind: 'metadata_has', keys: Object.keys(metadata) }, subject)).toBe(true);
      expect(holds({ kind: 'equals', key: 'list', values: ['list', '[object Object]'] }, subject)).toBe(false);
    });

    it('should not have those that are older than a month, of any DAO, once a sweep came', async () => {
      const ids = async (): Promise<string[]> =>
        (await refusals.page(EVER, undefined, 10_000)).map(({ id }) => id).filter((id) => id.startsWith('aged'));
      const old = (id: string): NewRefusal => aRefusal(id, { at: daysAgo(KEPT_DAYS + 1), code: 'AGED' });
      await refusals.add(aRefusal('aged-young', { at: daysAgo(KEPT_DAYS - 1), code: 'AGED' }));
      await refusals.add(old('aged-old'));
      expect(await ids()).toEqual(['aged-young', 'aged-old']);
      expect(await refusals.forgetOld()).toBe(1);
      expect(await ids()).toEqual(['aged-young']);
      expect(await refusals.forgetOld()).toBe(0);
      const elsewhere = { ...old('aged-elsewhere'), daoId: 'noisy' };
      for (const refusal of [old('aged-again'), elsewhere, aRefusal('of another kind')]) await refusals.add(refusal);
      // A refusal does not wait for others to be forgotten.
      expect((await ids()).toSorted()).toEqual(['aged-again', 'aged-elsewhere', 'aged-young']);
      expect(await refusals.forgetOld()).toBe(2);
      expect(await ids()).toEqual(['aged-young']);
    });
  });
});
