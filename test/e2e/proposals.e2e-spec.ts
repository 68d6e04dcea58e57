import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { startFakeOpenAi } from '../fakes/fake-openai.js';
import type { WireFake } from '../fakes/wire-fake.js';
import { chatProfile, DAO, fakeProvider, Product, until, type Reply } from './harness.js';

const SECOND = 1 / 3_600;

/** What answers about proposals hold, as far as these tests name it. */
interface ProposalBody {
  ok: boolean;
  n: number;
  stage: string;
  author: string;
  title: string;
  version: string;
  rules: object | null;
  result: Record<string, unknown> | null;
  closes_at: string;
  closed_at: string;
  veto_reason: string | null;
  proposals: { n: number; stage: string }[];
  votes: { voter: string; choice?: string; commitment: string | null; salt?: string | null }[];
  voters: { member: string; weight: number; delegate: string | null }[];
  tally: Record<string, unknown> | null;
  delegations: { from: string; to: string }[];
  mine: { to: string } | null;
  next: string | null;
  error: { code: string } & Record<string, unknown>;
}

describe('proposals', () => {
  let fake: WireFake;
  let product: Product;
  let gateway: string;
  let member: string;

  beforeAll(async () => {
    fake = await startFakeOpenAi();
    product = await Product.open({ profile: chatProfile([fakeProvider('fake', fake)], ['fake']) });
    gateway = (await product.key({ dao_id: DAO })).key;
    member = (await product.key({ dao_id: DAO, principal: 'tg:12345' })).key;
  });
  afterAll(async () => {
    await product.close();
    await fake.close();
  });

  const bodyOf = ({ body }: Reply): ProposalBody => body as unknown as ProposalBody;
  const outcome = (reply: Reply): string => `${reply.status} ${reply.body.ok ? 'ok' : reply.body.error.code}`;

  /** A call of somebody whom the gateway key names. */
  const as = (user: string, method: string, path: string, body?: object, headers = {}): Promise<Reply> =>
    product.call(method, `${path}${path.includes('?') ? '&' : '?'}user_id=${user}`, { key: gateway, headers }, body);

  const settle = (settings: object): Promise<unknown> =>
    product.database.all
      .updateTable('daos')
      .set({ settings: JSON.stringify(settings) })
      .where('id', '=', DAO)
      .execute();

  async function opened(actions: object[] = [], settings: object = {}): Promise<number> {
    await settle({ voting_hours: 1, quorum: 0, veto_hours: SECOND, ...settings });
    const draft = { title: 'A motto', text: 'Let us have one.', actions, open: true };
    return bodyOf(await as('tg:222', 'POST', '/proposals', draft)).n;
  }

  it('should go from a draft to the end, with its actions done', async () => {
    await settle({ voting_hours: 2 * SECOND, quorum: 0, veto_hours: SECOND });
    const actions = [
      { type: 'set_fact', name: 'motto', value: 'Eat.' },
      { type: 'grant_role', user_id: 'tg:222', role: 'member' },
    ];
    const drafted = await as('tg:222', 'POST', '/proposals', { title: 'A moto', text: 'Let us have one.', actions });
    expect(drafted.status).toBe(201);
    expect(drafted.headers.get('etag')).toBe('"1"');
    const { n, stage, rules } = bodyOf(drafted);
    expect({ stage, rules }).toEqual({ stage: 'draft', rules: null });
    const edit = (tag: string) => as('tg:222', 'PATCH', `/proposals/${n}`, { title: 'A motto' }, { 'if-match': tag });
    expect(outcome(await edit('"7"'))).toBe('412 VERSION_CHANGED');
    const edited = await edit('"1"');
    expect([edited.status, edited.headers.get('etag'), bodyOf(edited).title]).toEqual([200, '"2"', 'A motto']);
    expect(outcome(await as('tg:1', 'POST', `/proposals/${n}/open`))).toBe('403 NOT_THE_AUTHOR');
    expect(bodyOf(await as('tg:222', 'POST', `/proposals/${n}/open`)).stage).toBe('open');
    expect(outcome(await as('tg:222', 'PUT', `/proposals/${n}/vote`, { choice: 'yes' }))).toBe(
      '403 RBAC_PERMISSION_DENIED',
    );
    expect(bodyOf(await as('tg:12345', 'PUT', `/proposals/${n}/vote`, { choice: 'no' })).ok).toBe(true);
    const vote = await product.call('PUT', `/proposals/${n}/vote`, { key: member }, { choice: 'yes', ballot_id: 'b' });
    expect(vote.body).toMatchObject({ ok: true, revision: 2, choice: 'yes' });
    await until(
      async () => bodyOf(await as('tg:1', 'GET', `/proposals/${n}`)).stage === 'executed',
      'executed',
      20_000,
    );
    const { result, closes_at, closed_at } = bodyOf(await as('tg:1', 'GET', `/proposals/${n}`));
    expect(result).toMatchObject({ yes: 1, no: 0, total: 2 });
    expect(Date.parse(closed_at) - Date.parse(closes_at)).toBeLessThan(3_000);
    const again = await product.call('PUT', `/proposals/${n}/vote`, { key: member }, { choice: 'yes', ballot_id: 'b' });
    expect(again.body).toEqual(vote.body);
    const dao = await product.call('GET', `/daos/${DAO}`);
    expect(dao.body).toMatchObject({ facts: { motto: 'Eat.' } });
    expect(outcome(await as('tg:222', 'PUT', `/proposals/${n}/vote`, { choice: 'yes' }))).toBe('409 VOTING_CLOSED');
  });

  it('should show who may vote, who voted how, and how it stands', async () => {
    const n = await opened();
    await as('tg:1', 'PUT', `/proposals/${n}/vote`, { choice: 'yes' });
    await as('tg:1', 'PUT', `/proposals/${n}/vote`, { choice: 'no' });
    const get = async (path: string): Promise<ProposalBody> =>
      bodyOf(await as('tg:1', 'GET', `/proposals/${n}${path}`));
    const { voters, next } = await get('/voters?limit=1');
    expect(voters).toHaveLength(1);
    expect((await get(`/voters?limit=1&after=${next}`)).voters[0]?.member).not.toBe(voters[0]?.member);
    expect((await get('/votes')).votes.map(({ choice }) => choice)).toEqual(['no']);
    expect((await get('/votes?revisions=all')).votes.map(({ choice }) => choice)).toEqual(['yes', 'no']);
    const tally = bodyOf(await as('tg:99', 'GET', `/proposals/${n}/tally`));
    expect(tally.tally).toMatchObject({ no: 1, yes: 0, final: false });
    for (const path of [`/proposals/${n}/voters`, `/proposals/${n}/votes`, '/delegations'])
      expect(outcome(await as('tg:99', 'GET', path))).toBe('403 RBAC_PERMISSION_DENIED');
    expect(bodyOf(await as('tg:99', 'GET', '/proposals?stage=open')).proposals.map((one) => one.n)).toContain(n);
    expect(outcome(await as('tg:99', 'GET', `/proposals/${n}x`))).toBe('404 PROPOSAL_NOT_FOUND');
    expect(outcome(await as('tg:99', 'GET', '/proposals/9999'))).toBe('404 PROPOSAL_NOT_FOUND');
  });

  it('should keep sealed ballots until the close', async () => {
    const n = await opened([], { sealed: true });
    await as('tg:12345', 'PUT', `/proposals/${n}/vote`, { choice: 'yes' });
    const votes = async () => bodyOf(await as('tg:1', 'GET', `/proposals/${n}/votes`)).votes;
    expect((await votes()).map((one) => [one.choice, one.salt, typeof one.commitment])).toEqual([
      [undefined, undefined, 'string'],
    ]);
    expect(bodyOf(await as('tg:1', 'GET', `/proposals/${n}/tally`)).tally).not.toHaveProperty('yes');
  });

  it('should be vetoed by an admin with a reason', async () => {
    const n = await opened([], { voting_hours: SECOND, veto_hours: 1 });
    await as('tg:12345', 'PUT', `/proposals/${n}/vote`, { choice: 'yes' });
    await until(async () => bodyOf(await as('tg:1', 'GET', `/proposals/${n}`)).stage === 'passed', 'passed', 20_000);
    const veto = (user: string) => as(user, 'POST', `/proposals/${n}/veto`, { reason: 'Too dear.' });
    expect(outcome(await veto('tg:12345'))).toBe('403 RBAC_PERMISSION_DENIED');
    expect(bodyOf(await veto('tg:1'))).toMatchObject({ stage: 'vetoed', veto_reason: 'Too dear.' });
    expect((await veto('tg:1')).body.error).toMatchObject({ code: 'PROPOSAL_STAGE', stage: 'vetoed' });
  });

  it('should be withdrawn, and refuse what does not fit', async () => {
    const n = await opened();
    expect(bodyOf(await as('tg:222', 'POST', `/proposals/${n}/withdraw`, {})).stage).toBe('withdrawn');
    expect(outcome(await as('tg:12345', 'PUT', `/proposals/${n}/vote`, { choice: 'yes' }))).toBe('409 VOTING_NOT_OPEN');
    expect(outcome(await as('tg:12345', 'PUT', `/proposals/${n}/vote`, { choice: 'maybe' }))).toBe('400 BODY_INVALID');
    const bad = (actions: object[]) => as('tg:222', 'POST', '/proposals', { title: 'T', text: 'T', actions });
    for (const action of [
      { type: 'delete_dao' },
      { type: 'grant_role', role: 'member' },
      { type: 'grant_role', role: 'member', user_id: 'tg:1', member: 'p_1' },
      { type: 'set_setting', name: 'quorum', value: 2 },
      { type: 'set_setting', name: 'budget', value: 2 },
      { type: 'set_fact', name: '', value: 'x' },
    ]) {
      expect(outcome(await bad([action]))).toBe('400 BODY_INVALID');
    }
    const reply = await bad([{ type: 'grant_role', role: 'king', user_id: 'tg:1' }]);
    expect(reply.body.error).toMatchObject({ code: 'ACTION_INVALID', action: 0, reason: 'ROLE_NOT_FOUND' });
    const both = await as('tg:222', 'POST', '/proposals', { title: 'T', text: 'T', user_id: 'tg:1' });
    expect(outcome(both)).toBe('400 BODY_INVALID');
    const named = await product.call(
      'POST',
      '/proposals',
      { key: gateway },
      { title: 'T', text: 'T', user_id: 'tg:1' },
    );
    expect(named.status).toBe(201);
  });

  it('should be delegated, seen and taken back', async () => {
    expect(outcome(await as('tg:12345', 'PUT', '/delegations', { to: 'tg:1' }))).toBe('200 ok');
    expect(outcome(await as('tg:1', 'PUT', '/delegations', { to: 'tg:12345' }))).toBe('409 DELEGATION_CYCLE');
    expect(outcome(await as('tg:1', 'PUT', '/delegations', { to: 'tg:99' }))).toBe('422 DELEGATE_INVALID');
    const { delegations, mine } = bodyOf(await as('tg:12345', 'GET', '/delegations'));
    expect([delegations.length, mine?.to]).toEqual([1, delegations[0]?.to]);
    const n = await opened();
    await as('tg:1', 'PUT', `/proposals/${n}/vote`, { choice: 'yes' });
    expect(bodyOf(await as('tg:1', 'GET', `/proposals/${n}/tally`)).tally).toMatchObject({ ballots: 1 });
    expect(outcome(await as('tg:12345', 'DELETE', '/delegations'))).toBe('200 ok');
    expect(bodyOf(await as('tg:12345', 'GET', '/delegations')).mine).toBeNull();
  });

  it('should close while the product was away, and count what came before', async () => {
    const n = await opened();
    await as('tg:12345', 'PUT', `/proposals/${n}/vote`, { choice: 'yes' });
    await product.stop();
    // Its workflow was told another time, and sleeps: whoever starts looks for what is overdue.
    const past = sql<Date>`clock_timestamp() - interval '1 minute'`;
    await product.database.all
      .updateTable('proposals')
      .set({ opened_at: sql<Date>`opened_at - interval '1 hour'`, closes_at: past, due_at: past })
      .where('n', '=', n)
      .execute();
    await product.start();
    await until(
      async () => ['passed', 'executed'].includes(bodyOf(await as('tg:1', 'GET', `/proposals/${n}`)).stage),
      'closed by the reconciler',
      30_000,
    );
    expect(bodyOf(await as('tg:1', 'GET', `/proposals/${n}`)).result).toMatchObject({ yes: 1 });
  });
});
