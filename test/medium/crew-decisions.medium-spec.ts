import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { loadDefaultRoles } from '../../config/seed.js';
import { AccessRepository } from '../../src/adapters/store/access.repository.js';
import { AuditRepository } from '../../src/adapters/store/audit.repository.js';
import { CrewGatesRepository } from '../../src/adapters/store/crew-gates.repository.js';
import { applyChanges, CrewRunsRepository } from '../../src/adapters/store/crew-runs.repository.js';
import { CrewViewsRepository } from '../../src/adapters/store/crew-views.repository.js';
import { CrewsRepository } from '../../src/adapters/store/crews.repository.js';
import { memberByUser, updateMember } from '../../src/adapters/store/members.repository.js';
import { RequestsRepository } from '../../src/adapters/store/requests.repository.js';
import { SchemaValidators } from '../../src/adapters/schema-validators.js';
import type { CrewDefinition } from '../../src/contracts/crew.js';
import type { GateOrder } from '../../src/contracts/crew-run.js';
import { AccessService } from '../../src/services/access.service.js';
import { ChangesService } from '../../src/services/changes.service.js';
import type { Deciding } from '../../src/services/crew-gate-rules.js';
import { CrewRunsService } from '../../src/services/crew-runs.service.js';
import { aCaller, aKey, createDao } from '../factories/access.js';
import { aCrew, aTaskDefinition, ROOM } from '../factories/crew.js';
import { aDecision, anEnding, aRequest } from '../factories/requests.js';
import { DATABASES, type Fresh } from './databases.js';

const APPROVE: Deciding = { decision: 'approve' };
const ADMINS = ['tg:1', 'tg:2', 'tg:3', 'tg:4'];
const OUTPUT = { text: 'a plan' };
const APPROVAL = { ask: 'Well?', roles: ['admin'], count: 2, self: false, remind_after_s: 60, expires_after_s: 600 };

/** Gates as `advance` orders them, and a workflow that hears of nothing. */
const GATE: GateOrder = {
  ...{ id: 'output.plan-1', kind: 'approval', task: 'plan', ask: 'Well?', shown: { output: OUTPUT } },
  ...{ roles: ['admin'], count: 2, self: false, remindAfterS: 60, expiresAfterS: 600 },
};
const LIMIT: GateOrder = { ...GATE, id: 'limit.tokens.0', kind: 'limit', task: null, count: 1, self: true };

describe.each(DATABASES)('decisions about runs of crews on %s', (_name, open) => {
  let fresh: Fresh;
  let runs: CrewRunsService;
  let requests: RequestsRepository;
  let dao: string;
  let poked: string[];
  let count = 0;

  beforeAll(async () => {
    fresh = await open();
    const { database } = fresh;
    const audit = new AuditRepository(database);
    const access = new AccessService(new AccessRepository(database), audit, () => undefined);
    requests = new RequestsRepository(database);
    runs = new CrewRunsService({
      views: new CrewViewsRepository(database),
      gates: new CrewGatesRepository(database),
      access,
      changes: new ChangesService(access, audit, loadDefaultRoles().admin ?? []),
      validators: new SchemaValidators(),
      clock: { pokeCrew: (crew, runId) => Promise.resolve(poked.push(`${crew}/${runId}`) > 0) },
    });
  });
  afterAll(() => fresh.drop());

  beforeEach(async () => {
    [count, poked] = [count + 1, []];
    dao = `dao-${count}`;
    const members = { 'tg:9': ['member'], ...Object.fromEntries(ADMINS.map((id) => [id, ['admin']])) };
    await createDao(fresh.database, { id: dao, members });
  });

  /** A run at a gate, begun by a member. */
  async function waiting(
    gate: GateOrder,
    crew: Partial<CrewDefinition> = {},
    by = 'tg:9',
    keyId = 'key-1',
    subject = 'tg:77',
  ): Promise<string> {
    const definition = aCrew({ tasks: { plan: aTaskDefinition({ approval: APPROVAL }) }, ...crew });
    await new CrewsRepository(fresh.database).keepVersion(dao, 'hash', definition);
    const run = { crew: definition.id, hash: 'hash', subject, inputs: {}, rights: ['agent.crew'], room: ROOM };
    const request = aRequest({ daoId: dao, actor: by, keyId, mode: 'crew', run });
    await requests.accept(request);
    const crewRuns = new CrewRunsRepository(fresh.database);
    const head = await crewRuns.head(request.id, dao);
    await crewRuns.locked(head!, (db, loaded, now) => {
      const task = {
        state: 'waiting_approval' as const,
        round: 1,
        attempt: 1,
        problem: null,
        notes: [],
        returned: null,
      };
      const call = { kind: 'chat' as const, messages: [], options: { maxTokens: 9 } };
      const about = { crew: definition.id, task: 'plan', agent: 'planner', label: 'plan' };
      const step = { key: 'plan-1.1.1', about, deadlineAt: now, decision: aDecision(), work: { call } };
      return applyChanges(db, loaded!, {
        ...{ tasks: { plan: { ...task, output: OUTPUT } }, steps: [step], gates: [gate], handoffs: 0 },
      });
    });
    return request.id;
  }

  const keyOf = (principal: string) => aCaller({ id: `key of ${principal}`, daoId: dao, principal, gateway: false });
  const decide = (run: string, by: string, made: Deciding = APPROVE) => runs.decide(keyOf(by), run, made, {});
  const gateOf = async (run: string) => (await runs.get(keyOf('tg:1'), run, {})).gates[0]!;
  const codeOf = (deciding: Promise<unknown>): Promise<unknown> =>
    deciding.then(
      () => 'taken',
      (error: unknown) => (error as { code: unknown }).code,
    );

  it('takes one of each person, and closes when as many approved as are asked for', async () => {
    const run = await waiting(GATE);
    await decide(run, 'tg:1');
    expect(await codeOf(decide(run, 'tg:1'))).toBe('DECISION_MADE');
    expect(await gateOf(run)).toMatchObject({ state: 'open', decisions: [{ decision: 'approve' }] });
    await decide(run, 'tg:2');
    expect(await gateOf(run)).toMatchObject({ state: 'approved', decisions: [{}, {}] });
    expect(await codeOf(decide(run, 'tg:3'))).toBe('GATE_NOT_FOUND');
    expect(poked).toEqual([`planning/${run}`, `planning/${run}`]);
  });

  it('takes no more than are asked for of many who decide at once', async () => {
    const run = await waiting(GATE);
    const all = await Promise.all(
      [...ADMINS, ...ADMINS].map((who) => codeOf(decide(run, who, { ...APPROVE, gate: GATE.id }))),
    );
    expect(all.filter((one) => one === 'taken')).toHaveLength(2);
    expect((await gateOf(run)).decisions).toHaveLength(2);
    const refused = new Set(all.filter((one) => one !== 'taken'));
    expect(['DECISION_MADE', 'GATE_CLOSED']).toEqual(expect.arrayContaining([...refused]));
  });

  it('does not count whoever has lost the role since', async () => {
    const run = await waiting(GATE);
    await decide(run, 'tg:1');
    const first = await memberByUser(fresh.database.of(dao), dao, 'tg:1');
    await updateMember(fresh.database.of(dao), dao, first!.id, { roles: ['member'] });
    await decide(run, 'tg:2');
    const left = await runs.get(keyOf('tg:2'), run, {});
    expect(left.gates[0]).toMatchObject({ state: 'open' });
    await decide(run, 'tg:3');
    expect((await runs.get(keyOf('tg:3'), run, {})).gates[0]).toMatchObject({ state: 'approved' });
  });

  it('does what was approved once, by the right of whoever was the last to approve', async () => {
    const action = { action: 'assign_role' as const, role: 'plan.text', assignable: ['contributor'] };
    const output = { text: 'contributor' };
    const tasks = { plan: aTaskDefinition({ approval: APPROVAL, action }) };
    const run = await waiting({ ...GATE, shown: { output } }, { tasks });
    const all = await Promise.all(ADMINS.map((who) => codeOf(decide(run, who, { ...APPROVE, gate: GATE.id }))));
    expect(all.filter((one) => one === 'taken')).toHaveLength(2);
    const added = fresh.database.of(dao).selectFrom('audit').where('action', '=', 'member.add').selectAll();
    expect((await added.execute()).map(({ entry }) => JSON.parse(entry) as unknown)).toMatchObject([
      { detail: { roles: ['contributor'] } },
    ]);
  });

  it('tells whoever decides what came of it, also where they see nothing of the run from then on', async () => {
    const run = await waiting({ ...GATE, roles: ['member'], count: 1 }, {}, 'tg:1');
    expect(await decide(run, 'tg:9')).toMatchObject({ run_id: run, gates: [{ state: 'approved', may_decide: false }] });
    expect(await codeOf(runs.get(keyOf('tg:9'), run, {}))).toBe('RUN_NOT_FOUND');
  });

  it('refuses a key that is for looking alone', async () => {
    const run = await waiting({ ...GATE, count: 1 });
    const narrow = { ...keyOf('tg:1'), scopes: ['chat.read' as const] };
    expect(await codeOf(runs.decide(narrow, run, APPROVE, {}))).toBe('RBAC_PERMISSION_DENIED');
    const wide = { ...keyOf('tg:1'), scopes: ['chat.read' as const, 'agent.crew' as const] };
    expect(await codeOf(runs.decide(wide, run, APPROVE, {}))).toBe('taken');
  });

  it('refuses whoever answers for the key with which it was started for another', async () => {
    const admin = await memberByUser(fresh.database.of(dao), dao, 'tg:1');
    const key = aKey({ dao_id: dao, owner: admin!.id });
    await fresh.database.of(dao).insertInto('api_keys').values(key).execute();
    const run = await waiting({ ...GATE, count: 1 }, {}, 'tg:9', key.id);
    expect((await gateOf(run)).may_decide).toBe(false);
    expect(await runs.asked(keyOf('tg:1'), { daoId: dao })).toEqual([]);
    expect(await runs.asked(keyOf('tg:2'), { daoId: dao })).toMatchObject([{ run_id: run, may_decide: true }]);
    expect(await codeOf(decide(run, 'tg:1'))).toBe('DECISION_INVALID');
    expect(await codeOf(decide(run, 'tg:2'))).toBe('taken');
  });

  it('tells whoever acts what is asked of them, and of nobody else', async () => {
    const mine = await waiting({ ...GATE, count: 1 }, {}, 'tg:1');
    const others = await waiting({ ...GATE, count: 1 });
    const aboutMe = await waiting({ ...GATE, count: 1 }, {}, 'tg:9', 'key-1', 'tg:1');
    const asked = async (by: string) => (await runs.asked(keyOf(by), { daoId: dao })).map(({ run_id: run }) => run);
    expect(await asked('tg:1')).toEqual([others]);
    expect(await asked('tg:2')).toEqual([mine, others, aboutMe]);
    expect(await asked('tg:9')).toEqual([]);
    await requests.recordEnding(others, dao, anEnding({ status: 'cancelled' }));
    expect(await asked('tg:2')).toEqual([mine, aboutMe]);
  });

  it('shows what is done with an approval, also once the output was changed', async () => {
    const action = { action: 'assign_role' as const, role: 'plan.text', assignable: ['contributor', 'member'] };
    const tasks = { plan: aTaskDefinition({ approval: APPROVAL, action }) };
    const shown = { output: { text: 'contributor' }, action: { ...action, role: 'contributor', user_id: 'tg:77' } };
    const run = await waiting({ ...GATE, shown, count: 2 }, { tasks });
    await decide(run, 'tg:1', { ...APPROVE, output: { text: 'member' } });
    expect((await gateOf(run)).shown).toEqual({
      output: { text: 'member' },
      action: { action: 'assign_role', role: 'member', user_id: 'tg:77' },
    });
  });

  it.each(['api:key', 'p_0', 'tg:1\u200b', ' tg:1'])('makes no member of %j, which is no person', async (subject) => {
    const action = { action: 'assign_role' as const, role: 'plan.text', assignable: ['contributor'] };
    const tasks = { plan: aTaskDefinition({ approval: APPROVAL, action }) };
    const shown = { output: { text: 'contributor' } };
    const run = await waiting({ ...GATE, shown, count: 1 }, { tasks }, 'tg:9', 'key-1', subject);
    expect(await codeOf(decide(run, 'tg:1'))).toBe('DECISION_INVALID');
    expect(await gateOf(run)).toMatchObject({ state: 'open', decisions: [] });
  });

  it('lets members with one of the roles decide at a limit, and nobody else, whoever began the run', async () => {
    const run = await waiting(LIMIT);
    const seen = await runs.get(keyOf('tg:9'), run, {});
    expect(seen.gates).toMatchObject([{ kind: 'limit', may_decide: false }]);
    expect(await codeOf(decide(run, 'tg:9', { decision: 'continue' }))).toBe('GATE_NOT_FOUND');
    await decide(run, 'tg:1', { decision: 'continue' });
    expect(await gateOf(run)).toMatchObject({ state: 'continued' });
    const own = await waiting(LIMIT, {}, 'tg:1');
    await decide(own, 'tg:1', { decision: 'stop' });
    expect(await gateOf(own)).toMatchObject({ state: 'rejected' });
  });

  it('leaves nothing open of a run whose request is ended', async () => {
    const run = await waiting(GATE);
    expect(await requests.recordEnding(run, dao, anEnding({ status: 'cancelled' }))).toBe(true);
    expect(await runs.get(keyOf('tg:1'), run, {})).toMatchObject({
      ...{ state: 'cancelled', tasks: [{ state: 'cancelled' }], gates: [{ state: 'closed' }] },
      steps: [{ status: 'cancelled' }],
    });
    expect(await codeOf(decide(run, 'tg:1', { ...APPROVE, gate: GATE.id }))).toBe('GATE_CLOSED');
  });
});
