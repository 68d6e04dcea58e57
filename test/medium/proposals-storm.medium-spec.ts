import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import type { Choice } from '../../src/contracts/proposal.js';
import type { AppError } from '../../src/errors/app-error.js';
import { Assembly } from '../factories/proposals.js';
import { DATABASES, type Fresh } from './databases.js';

const HOUR = 3_600_000;

describe.each(DATABASES)('many votes on %s', (_name, open) => {
  let fresh: Fresh;
  let dao: Assembly;
  let count = 0;

  beforeAll(async () => {
    fresh = await open();
  });
  afterAll(() => fresh.drop());

  beforeEach(async () => {
    dao = new Assembly(fresh.database, `dao-${(count += 1)}`);
    await dao.found({ 'tg:1': ['admin'], 'tg:2': ['member'] }, { voting_hours: 1, quorum: 0, veto_hours: 1 });
  });

  /** Members p_1, p_2, … whom a platform knows as x:1, x:2, … */
  async function addMembers(many: number): Promise<void> {
    const db = fresh.database.of(dao.daoId);
    await sql`
      insert into members (dao_id, id, roles)
      select ${dao.daoId}, 'p_' || i, '{member}' from generate_series(1, ${many}::int) i
    `.execute(db);
    await sql`
      insert into identities (dao_id, user_id, member_id)
      select ${dao.daoId}, 'x:' || i, 'p_' || i from generate_series(1, ${many}::int) i
    `.execute(db);
  }

  it('should count ten thousand votes and delegations', async () => {
    const db = fresh.database.of(dao.daoId);
    await addMembers(10_000);
    await sql`insert into delegations (dao_id, member_id, delegate_id) select ${dao.daoId}, 'p_' || i, 'p_' || (i + 1) from generate_series(1, 9999) i where i % 10 <> 0`.execute(
      db,
    );
    const { n } = await dao.open('tg:2');
    // Every tenth casts a ballot, a yes or a no in turn, and stands for the nine before; then the others vote themselves.
    await sql`insert into ballots (dao_id, n, member_id, revision, choice, cast_at) select ${dao.daoId}, ${n}, 'p_' || (i * 10), 1, case when i % 2 = 0 then 'yes' else 'no' end, now() from generate_series(1, 1000) i`.execute(
      db,
    );
    expect(await dao.votes.tally(dao.key('tg:1'), {}, n)).toMatchObject({
      total: 10_002,
      yes: 5_000,
      no: 5_000,
      ballots: 1_000,
    });
    await sql`insert into ballots (dao_id, n, member_id, revision, choice, cast_at) select ${dao.daoId}, ${n}, 'p_' || i, 1, 'yes', now() from generate_series(1, 10000) i where i % 10 <> 0`.execute(
      db,
    );
    await dao.elapse(n, HOUR);
    const began = performance.now();
    expect(await dao.advancing.advance(dao.daoId, n)).toMatchObject({ stage: 'passed' });
    expect(performance.now() - began).toBeLessThan(5_000);
    expect((await dao.get('tg:1', n)).result).toMatchObject({ yes: 9_500, no: 500, voters: 10_000, ballots: 10_000 });
  });

  it('should count every vote that was accepted in a storm around the closing time, and no other', async () => {
    const many = 60;
    await addMembers(many);
    await dao.settle({ voting_hours: 1 / 3_600, quorum: 0 });
    const { n, closes_at: closesAt } = await dao.open('tg:2');
    // What each voter was told last: the choice of the last ballot that was accepted.
    const accepted = new Map<string, Choice>();
    const refused: AppError[] = [];
    const endAt = (closesAt?.getTime() ?? 0) + 500;
    const storm = async (voter: number): Promise<void> => {
      for (let turn = voter; Date.now() < endAt; turn += 1) {
        const choice = (['yes', 'no', 'abstain'] as const)[turn % 3]!;
        try {
          const ballot = await dao.vote(`x:${voter}`, n, choice);
          accepted.set(ballot.voter, choice);
        } catch (error) {
          refused.push(error as AppError);
          await sleep(5);
        }
      }
    };
    // Several close it at once, from before the moment on, while votes come in.
    const closer = async (): Promise<void> => {
      while ((await dao.advancing.advance(dao.daoId, n)).stage === 'open') await sleep(3);
    };
    await Promise.all([...Array.from({ length: many }, (_, at) => storm(at + 1)), closer(), closer()]);
    expect(new Set(refused.map(({ code: each }) => each))).toEqual(new Set(['VOTING_CLOSED']));
    expect(accepted.size).toBeGreaterThan(0);
    const { items } = await dao.votes.ballots(dao.key('tg:1'), {}, n, { limit: 200, changed: false });
    expect(new Map(items.map(({ voter, choice }) => [voter, choice]))).toEqual(accepted);
    const counted = [...accepted.values()].reduce((sums, choice) => ({ ...sums, [choice]: sums[choice] + 1 }), {
      yes: 0,
      no: 0,
      abstain: 0,
    });
    const { result } = await dao.get('tg:1', n);
    expect(result).toMatchObject({ ...counted, ballots: accepted.size });
    const [closing] = await dao.recorded('proposal.close');
    const actions = (await dao.recorded()).map(({ action }) => action);
    expect(closing?.detail.result).toEqual(result);
    expect(actions.slice(actions.indexOf('proposal.close') + 1)).not.toContain('vote.cast');
  });
});
