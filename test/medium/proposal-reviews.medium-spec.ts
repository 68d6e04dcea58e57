import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { SeenRun } from '../../src/contracts/crew-view.js';
import type { Proposal } from '../../src/contracts/proposal.js';
import { Assembly } from '../factories/proposals.js';
import { DATABASES, type Fresh } from './databases.js';

const code = (expected: string): unknown => expect.objectContaining({ name: 'AppError', code: expected });

describe.each(DATABASES)('reviews of proposals on %s', (_name, open) => {
  let fresh: Fresh;
  let dao: Assembly;
  let count = 0;

  beforeAll(async () => {
    fresh = await open();
  });
  afterAll(() => fresh.drop());

  beforeEach(async () => {
    dao = new Assembly(fresh.database, `dao-${(count += 1)}`);
    await dao.found({ 'tg:1': ['admin'], 'tg:2': ['member'], 'tg:3': ['member'] });
  });

  const draft = { title: 'One', text: 'First.', actions: [], open: false };
  const review = (text: string): SeenRun =>
    ({
      ...{ run_id: 'r1', crew: 'proposal_review', version: 'v', inputs: { text }, steps: [] },
      ...{ ended_at: new Date('2026-01-01T00:00:00Z'), result: { result: { recommendation: 'revise' }, agents: {} } },
    }) as unknown as SeenRun;
  const edit = (n: number, changes: object): Promise<Proposal> =>
    dao.proposals.edit(dao.key('tg:2'), {}, n, changes, undefined);

  beforeEach(() => {
    dao.runs.set('r1', review('First.'));
  });

  it('should be carried by a draft, tell when it is of an earlier text, and stay when it opens', async () => {
    const { n, review: none } = await dao.proposals.create(dao.key('tg:2'), {}, draft);
    expect(none).toBeNull();
    const at = '2026-01-01T00:00:00.000Z';
    const carried = { run_id: 'r1', version: 'v', at, result: { recommendation: 'revise' } };
    expect((await edit(n, { review: 'r1' })).review).toEqual({ ...carried, current: true });
    expect((await edit(n, { title: 'Other' })).review).toEqual({ ...carried, current: false });
    expect((await edit(n, { title: 'One' })).review).toEqual({ ...carried, current: false });
    expect((await edit(n, { review: 'r1' })).review).toEqual({ ...carried, current: true });
    await dao.proposals.open(dao.key('tg:2'), {}, n);
    expect((await dao.get('tg:3', n)).review).toEqual({ ...carried, current: true });
    await expect(edit(n, { review: null })).rejects.toEqual(code('PROPOSAL_STAGE'));
  });

  it('should be taken off, come with a new draft, and be refused where it is none', async () => {
    const { n, review: kept } = await dao.proposals.create(dao.key('tg:2'), {}, { ...draft, review: 'r1' });
    expect(kept).toMatchObject({ run_id: 'r1', current: true });
    expect((await edit(n, { review: null })).review).toBeNull();
    await expect(edit(n, { review: 'r2' })).rejects.toEqual(code('RUN_NOT_FOUND'));
    dao.runs.set('r2', { ...review('First.'), crew: 'code_review' });
    await expect(edit(n, { review: 'r2' })).rejects.toEqual(code('REVIEW_INVALID'));
    await expect(dao.proposals.create(dao.key('tg:2'), {}, { ...draft, review: 'r2' })).rejects.toEqual(
      code('REVIEW_INVALID'),
    );
    expect((await dao.get('tg:2', n)).version).toBe('2');
  });
});
