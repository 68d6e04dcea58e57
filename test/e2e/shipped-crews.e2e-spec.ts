import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { ChatMessage } from '../../src/contracts/chat.js';
import type { SeenRun, SeenStep } from '../../src/contracts/crew-view.js';
import { loadShippedCrews } from '../../config/crews.js';
import { GOOD } from '../fakes/crew-answers.js';
import type { ScriptedAnswer } from '../fakes/fake-dialect.js';
import { startFakeOpenAi } from '../fakes/fake-openai.js';
import type { WireFake } from '../fakes/wire-fake.js';
import { ADMIN, CrewCalls } from './crew-calls.js';
import { chatProfile, DAO, fakeProvider, Product } from './harness.js';
import { malformed, NO_CODE, PROPOSAL, REPOSITORY, SHIPPED, type ShippedRun } from '../factories/shipped-crews.js';

const CASES = Object.entries(SHIPPED);
/** Turns of two attempts at a task: its first answer, and as many as it is sent back. */
const MOST_TURNS = 6;

/** Scripts in which some tasks are answered otherwise. */
const scriptsOf = ({ tasks }: ShippedRun, answers: (task: string, at: number) => ScriptedAnswer[] | undefined) =>
  Object.fromEntries(
    Object.entries(GOOD).map(([words, good]) => {
      const at = Object.values(tasks).indexOf(words);
      const task = Object.keys(tasks)[at];
      return [words, (task === undefined ? undefined : answers(task, at)) ?? good];
    }),
  );

const turnsOf = ({ steps }: SeenRun, task: string): SeenStep[] =>
  steps.filter((step) => step.task === task && step.kind === 'model');

const messagesOf = (turn: SeenStep | undefined): readonly ChatMessage[] =>
  turn?.input && 'messages' in turn.input ? turn.input.messages : [];

/** What was said last before an answer. */
const lastTold = (turn: SeenStep): unknown => messagesOf(turn).at(-1)?.content;

describe('the crews that come along', () => {
  let fake: WireFake;
  let product: Product;
  let crews: CrewCalls;

  beforeAll(async () => {
    fake = await startFakeOpenAi();
    product = await Product.open({ profile: chatProfile([fakeProvider('fake', fake, { max_tokens: 800 })], ['fake']) });
    crews = new CrewCalls(product);
    for (const [path, text] of Object.entries(REPOSITORY)) {
      const file = join(product.home, 'workspaces', DAO, path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, text);
    }
    const made = await product.call('POST', `/proposals?dao_id=${DAO}&user_id=${ADMIN}`, {}, PROPOSAL);
    expect([made.status, made.body.error]).toEqual([201, undefined]);
  });
  afterAll(async () => {
    await product.close();
    await fake.close();
  });
  beforeEach(() => fake.reset());

  /** A run to its end; what it asks is approved. */
  async function run(crew: string, scripts: WireFake['settings']['scripts']): Promise<SeenRun> {
    fake.settings = { ...fake.settings, scripts };
    const { inputs, by } = SHIPPED[crew]!;
    const { status, body } = await crews.start(crew, inputs, by);
    if (status === 202) {
      await crews.asking(body.request_id);
      await crews.decide(body.request_id, 'approve');
    }
    return crews.ended(body.request_id);
  }

  it('should all be played here', () => {
    expect(Object.keys(SHIPPED)).toEqual(loadShippedCrews().map(({ id }) => id));
  });

  it.each(CASES)(
    'should come to the result of good answers, each of them asked for once: %s',
    async (crew, shipped) => {
      const seen = await run(crew, GOOD);
      expect(seen).toMatchObject({ state: 'completed', error: null, result: { result: shipped.result } });
      const { definition, spent } = seen;
      const agents = [...new Set(Object.values(definition.tasks).map(({ agent }) => agent))];
      expect(Object.keys(seen.result?.agents ?? {}).toSorted()).toEqual(agents.toSorted());
      expect(seen.tasks.map(({ task }) => task)).toEqual(Object.keys(shipped.tasks));
      expect(spent.tokens).toBeGreaterThan(0);
      for (const [task, words] of Object.entries(shipped.told)) {
        const [only, ...more] = turnsOf(seen, task);
        expect([task, more]).toEqual([task, []]);
        const told = messagesOf(only).map(({ content }) => (typeof content === 'string' ? content : ''));
        // Data stands there as JSON.
        for (const one of words) expect(told.join('\n')).toContain(JSON.stringify(one).slice(1, -1));
      }
      expect(JSON.stringify(fake.bodies)).not.toContain(NO_CODE);
    },
  );

  it.each(CASES)('should send back what is malformed until it is not: %s', async (crew, shipped) => {
    const seen = await run(
      crew,
      scriptsOf(shipped, (task, at) => malformed(shipped.tasks[task]!, at)),
    );
    expect(seen).toMatchObject({ state: 'completed', error: null, result: { result: shipped.result } });
    Object.keys(shipped.tasks).forEach((task, at) => {
      const [, ...told] = turnsOf(seen, task).map(lastTold);
      expect(told).toEqual([
        expect.stringContaining('is not a tool here'),
        expect.stringMatching(at % 2 === 0 ? /holds no JSON object/ : /must be (array|string|integer|number)/),
        expect.stringContaining('was cut off before its end'),
      ]);
    });
  });

  it.each(CASES)('should send back what fits and cannot be right: %s', async (crew, shipped) => {
    const { wrong, tasks } = shipped;
    const answers = (task: string): ScriptedAnswer[] | undefined =>
      wrong[task] && [...wrong[task].map(([answer]) => answer), ...GOOD[tasks[task]!]!];
    const seen = await run(crew, scriptsOf(shipped, answers));
    expect(seen).toMatchObject({ state: 'completed', error: null, result: { result: shipped.result } });
    for (const [task, mistakes] of Object.entries(wrong)) {
      const [, ...told] = turnsOf(seen, task).map(lastTold);
      expect([task, told]).toEqual([task, mistakes.map(([, problem]) => expect.stringContaining(problem))]);
    }
  });

  it.each(CASES)(
    'should fail with the task that is never answered as asked, after so many turns: %s',
    async (crew, shipped) => {
      const { needed } = shipped;
      const seen = await run(
        crew,
        scriptsOf(shipped, (task) => (task === needed ? ['no'] : undefined)),
      );
      expect(seen).toMatchObject({ state: 'failed', result: null, error: { code: 'CREW_FAILED', task: needed } });
      expect(turnsOf(seen, needed)).toHaveLength(MOST_TURNS);
    },
  );

  it('should suggest no role to anybody where the model insists on one that nobody may be given', async () => {
    const shipped = SHIPPED.microdao_onboarding!;
    const [[admin] = []] = shipped.wrong.suggest_role!;
    fake.settings = {
      ...fake.settings,
      scripts: scriptsOf(shipped, (task) => (task === 'suggest_role' ? [admin!] : undefined)),
    };
    const { body } = await crews.start('microdao_onboarding', shipped.inputs, 'tg:702');
    const seen = await crews.ended(body.request_id);
    expect(seen).toMatchObject({ state: 'completed', gates: [], result: { result: { suggested_role: null } } });
    const { body: rights } = await product.call('POST', '/rbac/resolve', {}, { dao_id: DAO, user_id: 'tg:702' });
    expect((rights as unknown as { roles: string[] }).roles).toEqual(['guest']);
  });
});
