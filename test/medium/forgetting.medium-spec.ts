import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { loadDefaultRoles } from '../../config/seed.js';
import type { ToolRequest } from '../../src/contracts/devtools.js';
import { AccessRepository } from '../../src/adapters/store/access.repository.js';
import { AnswerCacheRepository } from '../../src/adapters/store/answer-cache.repository.js';
import { AuditRepository } from '../../src/adapters/store/audit.repository.js';
import { closeGate, decideGate } from '../../src/adapters/store/crew-gates.repository.js';
import { applyChanges, CrewRunsRepository, endRun } from '../../src/adapters/store/crew-runs.repository.js';
import { DaosRepository } from '../../src/adapters/store/daos.repository.js';
import { InvitationsRepository } from '../../src/adapters/store/invitations.repository.js';
import { MembersRepository } from '../../src/adapters/store/members.repository.js';
import { RefusalsRepository } from '../../src/adapters/store/refusals.repository.js';
import { RequestsRepository } from '../../src/adapters/store/requests.repository.js';
import { AccessService } from '../../src/services/access.service.js';
import { doActions } from '../../src/services/proposal-effects.js';
import { peopleOf, type People } from '../../src/services/people.js';
import { aCaller, aKey, createDao } from '../factories/access.js';
import { aCrew, ROOM } from '../factories/crew.js';
import { aClaim, aDecision, aRequest, anAnswer, anEnding, someAccess } from '../factories/requests.js';
import { allColumns, columnsWith, type Column } from '../support/columns-with.js';
import { PERSONAL } from '../support/personal-columns.js';
import { DATABASES, type Fresh } from './databases.js';

const SECRET = 'rutabaga';
const OTHER_SECRET = 'kohlrabi';
const PERSON = 'tg:4242';
const SECOND = 'dc:4242';
const GUEST = 'tg:777';

/** What of a run of a crew is not as usual. */
interface Ran {
  subject?: string;
  /** The run that it went on from. */
  base?: string;
  /** Who approved it, by the name of the record, and what they said. */
  decidedBy?: string;
  comment?: string;
  ended?: boolean;
}

describe.each(DATABASES)('forgetting on %s', (_name, open) => {
  let fresh: Fresh;
  let people: People;
  let access: AccessService;
  let requests: RequestsRepository;
  let columns: Column[];
  let dao: string;
  let count = 0;
  const admin = aCaller({ id: 'admin', principal: 'api:admin' });

  beforeAll(async () => {
    fresh = await open();
    const { database } = fresh;
    const repository = new AccessRepository(database);
    await repository.grantPlatform('api:admin');
    requests = new RequestsRepository(database);
    const audit = new AuditRepository(database);
    const repositories = {
      audit,
      daos: new DaosRepository(database),
      invitations: new InvitationsRepository(database),
      members: new MembersRepository(database),
    };
    access = new AccessService(repository, audit, () => undefined);
    people = peopleOf({ access, repositories, roles: loadDefaultRoles() });
    columns = await allColumns(database.all);
  });
  afterAll(() => fresh.drop());

  beforeEach(async () => {
    count += 1;
    dao = `dao-${count}`;
    await createDao(fresh.database, { id: dao });
  });

  const whereIs = (word: string): Promise<string[]> => columnsWith(fresh.database.all, columns, word);

  /** A turn of somebody, answered, with their id and a word in everything that a caller can fill in. */
  async function spoken(actor: string, word: string): Promise<string> {
    const request = aRequest({
      ...{ daoId: dao, actor, source: `bot of ${actor}`, agent: word, sessionId: `chat with ${actor}`, prompt: word },
      metadata: { user_id: actor, note: word },
      access: someAccess({ dao: { id: dao, name: 'A DAO' } }),
      idempotency: { scope: `k1 ${actor} /route`, key: word, bodyHash: `hash of ${word}` },
    });
    await requests.accept(request);
    const job = await requests.claim(request.id, dao, aClaim());
    await requests.recordAnswer(
      request.id,
      dao,
      anAnswer({ text: `Yes, ${word}`, generation: job!.record.generation }),
    );
    return request.id;
  }

  async function failed(actor: string, word: string): Promise<void> {
    const request = aRequest({ daoId: dao, actor, prompt: word });
    await requests.accept(request);
    const error = { code: 'PROVIDER_FAILED', message: 'no', reason: `the model says: ${word}` };
    await requests.recordEnding(request.id, dao, anEnding({ error }));
  }

  /** A tool that somebody had done: the word is in what they asked, in what was planned, and in what came of it. */
  async function worked(actor: string, word: string): Promise<void> {
    const path = `${word}.txt`;
    const tool: ToolRequest = { tool: 'fs_write', params: { path, content: word } };
    const request = aRequest({
      ...{ daoId: dao, actor, mode: 'devtools', prompt: '', tool },
      metadata: { tool: tool.tool },
    });
    await requests.accept(request);
    const { generation } = (await requests.claimTool(request.id, dao))!.record;
    const journal = { files: [{ path, before: null, after: 'hash' }] };
    expect(await requests.keepJournal(request.id, dao, { generation, journal })).toBe(true);
    const result = { path, hash: 'hash', previous_hash: null, size: 1, created: true };
    const end = { result, kept: tool, timings: {}, generation };
    expect(await requests.recordToolResult(request.id, dao, end)).toBe(true);
  }

  /**
   * A run of a crew with a word in everything that it holds: in what it is given and comes to, in what a task made and
   * what of it was shown, in what was said of it, and in what a step was asked and gave.
   */
  async function ran(actor: string, word: string, part: Ran = {}): Promise<string> {
    const { subject = null, base, decidedBy = 'p_somebody', ended = true } = part;
    const db = fresh.database.of(dao);
    const hash = 'hash-of-crew';
    const version = { dao_id: dao, crew: 'planning', hash, definition: JSON.stringify(aCrew()) };
    await db
      .insertInto('crew_versions')
      .values(version)
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    const output = { text: word };
    const request = aRequest({
      ...{ daoId: dao, actor, mode: 'crew', prompt: word, metadata: { workflow: 'planning', note: word } },
      run: {
        ...{
          crew: 'planning',
          hash,
          subject,
          inputs: { text: word, about: subject },
          rights: ['agent.crew'],
          room: ROOM,
        },
        base: base === undefined ? undefined : { runId: base, outputs: { plan: output } },
      },
    });
    await requests.accept(request);
    const place = { runId: request.id, daoId: dao };
    const runs = new CrewRunsRepository(fresh.database);
    const head = await runs.head(request.id, dao);
    await runs.locked(head!, async (open, run, now) => {
      const json = { state: 'completed' as const, round: 1, attempt: 1, output, problem: word, notes: [word] };
      const gate = { kind: 'approval' as const, roles: ['admin'], count: 1, self: false, remindAfterS: 60 };
      await applyChanges(open, run!, {
        tasks: { plan: { ...json, returned: output } },
        steps: [
          {
            ...{
              key: 'plan.1.1.1',
              about: { crew: 'planning', task: 'plan', agent: 'planner', label: word },
              deadlineAt: now,
            },
            decision: aDecision(),
            work: { call: { kind: 'chat', messages: [{ role: 'user', content: word }], options: { maxTokens: 9 } } },
            refused: { code: 'PROVIDER_FAILED', message: 'no', reason: `it says: ${word}` },
          },
        ],
        gates: [{ ...gate, id: 'output.plan.1', task: 'plan', ask: word, shown: { output }, expiresAfterS: 600 }],
        handoffs: 0,
      });
      const at = { ...place, gate: 'output.plan.1' };
      const made = { decision: 'approve' as const, comment: part.comment ?? word };
      await decideGate(open, at, { revision: 1, member: decidedBy, made, changed: undefined });
      await closeGate(open, at, { state: 'approved', comment: made.comment, output });
      const data = { result: output, agents: {} };
      const end = { status: 'completed' as const, data, timings: {}, usage: null };
      if (ended) await endRun(open, place, end);
    });
    return request.id;
  }

  async function refused(actor: string, word: string): Promise<void> {
    const { mode, access } = aRequest();
    await new RefusalsRepository(fresh.database).add({
      ...{ id: `refused ${dao} ${actor}`, daoId: dao, actor, at: new Date(), code: 'NO_ROUTE', configHash: 'x' },
      inputs: { mode, agent: word, source: actor, metadata: {}, promptHead: word, promptLength: word.length, access },
    });
  }

  /** Everything that a person leaves behind in a DAO, under an id and with a word. */
  async function lived(actor: string, word: string): Promise<string> {
    const id = await spoken(actor, word);
    await failed(actor, word);
    await worked(actor, word);
    await refused(actor, word);
    await new AnswerCacheRepository(fresh.database).put(
      { daoId: dao, rule: 'chat', key: `key of ${actor}` },
      { provider: 'fake', text: word, finishReason: 'stop' },
      10,
    );
    await fresh.database
      .of(dao)
      .insertInto('api_keys')
      .values([
        aKey({ dao_id: dao, principal: actor, name: `laptop of ${word}`, gateway: false }),
        { ...aKey({ dao_id: dao, principal: actor, gateway: false }), issuer: 'https://id.example', subject: actor },
      ])
      .execute();
    return id;
  }

  async function joined(): Promise<string> {
    const { member } = await people.members.add(admin, dao, { userId: PERSON, roles: ['admin'], name: SECRET });
    await people.members.link(admin, dao, member.id, SECOND);
    const key = aCaller({ daoId: dao, principal: PERSON, gateway: false });
    await people.invitations.linkCode(key, dao, {});
    await people.invitations.create(key, dao, { roles: ['member'], uses: 5, hours: 1 });
    await people.daos.change(key, dao, { facts: { open: 'yes' } }, undefined);
    return member.id;
  }

  /** A proposal of somebody else to invite these. */
  const proposed = (userIds: string[]): Promise<unknown> => {
    const actions = userIds.map((user_id) => ({ type: 'invite', user_id, roles: ['member'] }));
    const draft = { dao_id: dao, n: 1, author: 'p_other', title: 'Invite', text: 'Them.', stage: 'draft' as const };
    return fresh.database
      .of(dao)
      .insertInto('proposals')
      .values({ ...draft, actions: JSON.stringify(actions) })
      .execute();
  };

  const key = (principal: string) => aCaller({ daoId: dao, principal, gateway: false });
  const bothRequests = () => sql<boolean>`actor = any (${[PERSON, SECOND]}::text[])`;

  it('has thought of every column that there is', () => {
    const there = columns.map(({ name }) => name);
    expect(there.filter((name) => !PERSONAL.has(name))).toEqual([]);
    expect([...PERSONAL.keys()].filter((name) => !there.includes(name))).toEqual([]);
  });

  it('leaves neither an id nor a word of a member, and keeps the figures', async () => {
    const member = await joined();
    const said = await lived(PERSON, SECRET);
    await lived(SECOND, SECRET);
    await lived('tg:12345', OTHER_SECRET);
    await proposed([PERSON, 'tg:stays']);
    const before = await whereIs(PERSON);
    expect(before).toEqual(
      expect.arrayContaining(['dialogs.actor', 'identities.user_id', 'refusals.actor', 'requests.metadata']),
    );
    const words = await whereIs(SECRET);
    expect(words.length).toBeGreaterThan(11);
    expect(words).toEqual(expect.arrayContaining(['turns.tool', 'turns.journal', 'turns.result']));
    const others = await whereIs(OTHER_SECRET);

    expect(await people.forgetting.forgetMe(key(SECOND), dao, {})).toEqual({ id: member, requests: 6 });
    for (const word of [PERSON, SECOND, SECRET]) expect([word, await whereIs(word)]).toEqual([word, []]);
    expect(await whereIs(OTHER_SECRET)).toEqual(others.filter((name) => name !== 'answer_cache.answer'));

    const left = await requests.find(said, dao);
    expect(left).toMatchObject({ actor: member, status: 'completed', provider: 'fake', answer: null });
    expect(left?.usage?.total_tokens).toBeGreaterThan(0);
    const invited = fresh.database.of(dao).selectFrom('proposals').select('actions');
    expect(await invited.execute()).toMatchObject([{ actions: [{ user_id: member }, { user_id: 'tg:stays' }] }]);
    const rows = fresh.database.of(dao).selectFrom('audit').where('action', '=', 'member.forget').selectAll();
    expect(await rows.execute()).toMatchObject([{ actor: member, subject: member }]);
    const keys = fresh.database.of(dao).selectFrom('api_keys').where('principal', '=', member).selectAll();
    const revoked = (await keys.execute()).map(({ revoked_at }) => revoked_at);
    expect(revoked).toEqual([expect.any(Date), expect.any(Date), expect.any(Date), expect.any(Date)]);
    expect((await people.members.list(admin, dao, { after: '', limit: 9 })).items).toHaveLength(3);
  });

  describe('of runs of crews', () => {
    const WORDS = [
      ...['crew_runs.inputs', 'crew_runs.result', 'crew_tasks.output', 'crew_tasks.notes', 'crew_tasks.problem'],
      ...['crew_tasks.returned', 'crew_gates.ask', 'crew_gates.shown', 'crew_gates.comment', 'crew_gates.output'],
      ...[
        'crew_decisions.comment',
        'turns.call',
        'turns.prompt',
        'turns.result',
        'requests.metadata',
        'requests.error',
      ],
    ].toSorted();
    /** Words are looked for in all DAOs: those of each test are its own. */
    let word: string;
    let other: string;
    beforeEach(() => {
      [word, other] = [`chicory-${count}-`, `salsify-${count}-`];
    });

    it('leaves nothing of those that the person started, whatever was said there', async () => {
      await ran('tg:12345', other);
      const run = await ran(GUEST, word, { decidedBy: GUEST });
      expect(await whereIs(word)).toEqual(WORDS);
      // Its step is no request of its own.
      expect(await people.forgetting.forgetMe(key(GUEST), dao, {})).toMatchObject({ requests: 1 });
      for (const one of [word, GUEST]) expect([one, await whereIs(one)]).toEqual([one, []]);
      expect(await whereIs(other)).toEqual(WORDS);
      expect(await requests.find(run, dao)).toMatchObject({ status: 'completed', mode: 'crew', result: null });
    });

    it('leaves nothing of those that are about the person, nor of those that went on from theirs', async () => {
      const id = await joined();
      const about = await ran('tg:1', word, { subject: SECOND });
      await ran('tg:1', word, { base: await ran(PERSON, word) });
      await ran('tg:1', other, { subject: 'tg:stays' });
      expect(await people.forgetting.forgetMe(key(PERSON), dao, {})).toEqual({ id, requests: 1 });
      for (const one of [word, PERSON, SECOND]) expect([one, await whereIs(one)]).toEqual([one, []]);
      expect(await whereIs(other)).toEqual(WORDS);
      const left = fresh.database.of(dao).selectFrom('crew_runs').where('run_id', '=', about).select('subject');
      expect(await left.execute()).toEqual([{ subject: id }]);
      expect(await requests.find(about, dao)).toMatchObject({ actor: 'tg:1', status: 'completed' });
    });

    it('leaves nothing that the person said at gates of others, and the rest of those runs', async () => {
      const id = await joined();
      await ran('tg:1', other, { decidedBy: id, comment: word });
      expect(await whereIs(word)).toEqual(['crew_decisions.comment', 'crew_gates.comment']);
      await people.forgetting.forgetMe(key(PERSON), dao, {});
      expect(await whereIs(word)).toEqual([]);
      // What models were told may hold it, and so may the notes.
      const gone = ['crew_decisions.comment', 'crew_gates.comment', 'crew_tasks.notes', 'turns.call'];
      expect(await whereIs(other)).toEqual(WORDS.filter((name) => !gone.includes(name)));
    });

    it('waits for the end of those that would write down again what was erased', async () => {
      const id = await joined();
      const open = [
        await ran(PERSON, word, { ended: false }),
        await ran('tg:1', word, { subject: PERSON, ended: false }),
        await ran('tg:1', other, { decidedBy: id, comment: word, ended: false }),
      ];
      await ran('tg:1', other, { ended: false });
      const before = await whereIs(word);
      const refusal = people.forgetting.forgetMe(key(PERSON), dao, {});
      await expect(refusal).rejects.toMatchObject({
        code: 'REQUESTS_RUNNING',
        detail: { requests: open.toSorted() },
      });
      expect(await whereIs(word)).toEqual(before);
      for (const run of open) await requests.recordEnding(run, dao, anEnding());
      await people.forgetting.forgetMe(key(PERSON), dao, {});
      for (const one of [word, PERSON]) expect([one, await whereIs(one)]).toEqual([one, []]);
    });
  });

  it('leaves nothing of a guest either, who keeps the name that the record has for them', async () => {
    await lived(GUEST, SECRET);
    await people.invitations.create(admin, dao, { roles: ['member'], userId: GUEST, uses: 1, hours: 1 });
    const { id, requests: many } = await people.forgetting.forgetMe(key(GUEST), dao, {});
    expect(id).toMatch(/^x_[0-9a-f]{32}$/);
    expect(many).toBe(3);
    for (const word of [GUEST, SECRET]) expect([word, await whereIs(word)]).toEqual([word, []]);
    const rows = fresh.database.of(dao).selectFrom('audit').where('action', '=', 'member.forget').selectAll();
    expect(await rows.execute()).toMatchObject([{ actor: id, subject: id }]);
    expect(await people.forgetting.forgetMe(key(GUEST), dao, {})).toEqual({ id, requests: 0 });
  });

  it('keeps no answer whose question was forgotten before it could be kept', async () => {
    const cache = new AnswerCacheRepository(fresh.database);
    const [slot, answer] = [
      { daoId: dao, rule: 'chat', key: 'late' },
      { provider: 'fake', text: SECRET, finishReason: 'stop' },
    ];
    const said = await spoken(GUEST, SECRET);
    await cache.put(slot, answer, 10, said);
    expect(await cache.get(slot, undefined)).toMatchObject({ text: SECRET });
    for (let round = 0; round < 5; round += 1) {
      const again = round === 0 ? said : await spoken(GUEST, SECRET);
      await Promise.all([people.forgetting.forgetMe(key(GUEST), dao, {}), cache.put(slot, answer, 10, again)]);
      expect(await whereIs(SECRET)).toEqual([]);
      await cache.put(slot, answer, 10, again);
      expect(await whereIs(SECRET)).toEqual([]);
    }
  });

  it('is not undone by refusals that are counted when it happens', async () => {
    const id = await joined();
    const denied = (): Promise<unknown> => access.require(key(PERSON), { daoId: dao }, 'platform.admin');
    for (let time = 0; time < 3; time += 1) {
      await expect(denied()).rejects.toMatchObject({ code: 'RBAC_PERMISSION_DENIED' });
    }
    await people.forgetting.forgetMe(key(PERSON), dao, {});
    await access.close();
    const rows = fresh.database.of(dao).selectFrom('audit').where('action', '=', 'access.denied').orderBy('seq');
    const entries = (await rows.select(['actor', 'subject', 'entry']).execute()).map(({ entry, ...row }) => ({
      ...row,
      ...(JSON.parse(entry) as { detail: object }),
    }));
    expect(entries).toMatchObject([
      { actor: id, subject: id },
      { actor: id, subject: id, detail: { times: 2 } },
    ]);
  });

  it('empties the kept answers only where some may be the person’s', async () => {
    const cache = new AnswerCacheRepository(fresh.database);
    const slot = { daoId: dao, rule: 'chat', key: 'kept' };
    await cache.put(slot, { provider: 'fake', text: OTHER_SECRET, finishReason: 'stop' }, 10);
    await people.forgetting.forgetMe(key(GUEST), dao, {});
    await joined();
    await people.forgetting.forgetMe(key(PERSON), dao, {});
    expect(await cache.get(slot, undefined)).toMatchObject({ text: OTHER_SECRET });
    await spoken(GUEST, SECRET);
    await people.forgetting.forgetMe(key(GUEST), dao, {});
    expect(await cache.get(slot, undefined)).toBeUndefined();
  });

  it('takes the names off keys that the person made for others', async () => {
    const id = await joined();
    const keys = [
      aKey({ dao_id: dao, principal: `api:bot-${dao}`, name: `bot of ${SECRET}`, owner: id }),
      aKey({ dao_id: dao, principal: `api:other-${dao}`, name: 'bot of the house' }),
    ];
    await fresh.database.of(dao).insertInto('api_keys').values(keys).execute();
    await people.forgetting.forgetMe(key(PERSON), dao, {});
    expect(await whereIs(SECRET)).toEqual([]);
    const left = fresh.database.of(dao).selectFrom('api_keys').select('name').orderBy('principal');
    expect(await left.execute()).toEqual([{ name: id }, { name: 'bot of the house' }]);
  });

  it('lets no proposal that is under way invite the person again', async () => {
    await spoken(GUEST, SECRET);
    await proposed([GUEST]);
    await people.forgetting.forgetMe(key(GUEST), dao, {});
    const { actions } = await fresh.database
      .of(dao)
      .selectFrom('proposals')
      .select('actions')
      .executeTakeFirstOrThrow();
    const done = fresh.database.of(dao).transaction();
    expect(await done.execute((db) => doActions(db, dao, actions, []))).toEqual({ action: 0, reason: 'NOT_A_PERSON' });
    expect((await people.invitations.list(admin, dao, { after: '', limit: 9 })).items).toEqual([]);
  });

  it('says which requests still run, and changes nothing while one does', async () => {
    await joined();
    await spoken(PERSON, SECRET);
    const running = aRequest({ daoId: dao, actor: SECOND });
    await requests.accept(running);
    const refusal = people.forgetting.forgetMe(key(PERSON), dao, {});
    await expect(refusal).rejects.toMatchObject({ code: 'REQUESTS_RUNNING', detail: { requests: [running.id] } });
    const turns = fresh.database
      .of(dao)
      .selectFrom('turns')
      .innerJoin('requests', 'id', 'request_id')
      .where(bothRequests());
    expect(await turns.select('prompt').execute()).toHaveLength(2);
    await requests.recordEnding(running.id, dao, anEnding());
    expect(await people.forgetting.forgetMe(key(PERSON), dao, {})).toMatchObject({ requests: 2 });
  });

  it('is all or nothing', async () => {
    await spoken('tg:1', SECRET);
    const before = await whereIs(SECRET);
    await expect(people.forgetting.forgetMe(key('tg:1'), dao, {})).rejects.toMatchObject({ code: 'LAST_ADMIN' });
    expect(await whereIs(SECRET)).toEqual(before);
    await people.members.add(admin, dao, { userId: 'tg:2', roles: ['admin'] });
    await people.forgetting.forgetMe(key('tg:1'), dao, {});
    expect(await whereIs(SECRET)).toEqual([]);
  });

  it('stays within its DAO, and within the person', async () => {
    const here = dao;
    await createDao(fresh.database, { id: `${here}-too`, members: { [PERSON]: ['admin'] } });
    dao = `${here}-too`;
    await spoken(PERSON, OTHER_SECRET);
    dao = here;
    const id = await joined();
    await spoken(PERSON, SECRET);
    expect(await people.forgetting.forgetMember(key('tg:1'), dao, id)).toEqual({ id, requests: 1 });
    expect(await whereIs(SECRET)).toEqual([]);
    const rows = fresh.database.of(`${here}-too`).selectFrom('identities').select('user_id');
    expect(await rows.execute()).toEqual([{ user_id: PERSON }]);
    dao = `${here}-too`;
    await createDao(fresh.database, { id: dao });
    const members = await people.members.list(admin, dao, { after: '', limit: 9 });
    expect(members.items).toMatchObject([{ user_ids: [PERSON] }]);
  });

  it('takes the rights with it, of keys and invitations of the person too', async () => {
    const id = await joined();
    const made = await people.invitations.create(key(PERSON), dao, { roles: ['member'], uses: 1, hours: 1 });
    const owned = aCaller({ daoId: dao, principal: 'api:bot', owner: id });
    await people.forgetting.forgetMember(admin, dao, id);
    const secret = made.secret ?? '';
    await expect(people.invitations.redeem(key('tg:99'), { secret })).rejects.toMatchObject({
      code: 'INVITATION_NOT_FOUND',
    });
    await expect(people.members.list(owned, dao, { after: '', limit: 1, userId: 'tg:1' })).rejects.toMatchObject({
      code: 'ACTING_NOT_ALLOWED',
    });
    await expect(people.members.get(key(PERSON), dao, 'me')).rejects.toMatchObject({ code: 'MEMBER_NOT_FOUND' });
  });
});
