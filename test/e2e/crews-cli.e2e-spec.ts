import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { GOOD } from '../fakes/crew-answers.js';
import type { ScriptedAnswer } from '../fakes/fake-dialect.js';
import { startFakeOpenAi } from '../fakes/fake-openai.js';
import type { WireFake } from '../fakes/wire-fake.js';
import { until } from '../support/until.js';
import { CommandLine } from './command-line.js';
import { chatProfile, fakeProvider, Product } from './harness.js';

const DAO = 'orchard';

/** Good answers; here a task has three parts of the same length. */
const SCRIPTS: Record<string, ScriptedAnswer[]> = {
  ...GOOD,
  'into three to eight subtasks': [{ subtasks: ['t1', 't2', 't3'].map((id) => ({ id, title: `Do the part ${id}` })) }],
  'Estimate each subtask': [{ estimates: ['t1', 't2', 't3'].map((id) => ({ id, hours: 1, confidence: 'high' })) }],
  'depends_on has the ids': [{ dependencies: ['t1', 't2', 't3'].map((id) => ({ id, depends_on: [] })) }],
};

describe('crews at the command line', () => {
  let fake: WireFake;
  let product: Product;
  let line: CommandLine;
  let told: string;

  beforeAll(async () => {
    fake = await startFakeOpenAi({ scripts: SCRIPTS });
    product = await Product.open({ profile: chatProfile([fakeProvider('fake', fake, { max_tokens: 800 })], ['fake']) });
    line = new CommandLine(product);
    await line.done('platform', 'dao', 'create', DAO, '--name', 'Orchard', '--admin', 'tg:1');
    await line.newKey('admin', DAO, '--principal', 'tg:1');
    await line.done('admin', 'member', 'add', 'tg:2', '--roles', 'member');
    await line.newKey('member', DAO, '--principal', 'tg:2');
    await line.newKey('guest', DAO, '--principal', 'tg:99');
  });
  afterAll(async () => {
    jest.restoreAllMocks();
    line.restore();
    await product.close();
    await fake.close();
  });
  beforeEach(() => {
    told = '';
    jest.spyOn(process.stderr, 'write').mockImplementation((text) => {
      told += String(text);
      return true;
    });
    fake.reset();
    fake.settings = { ...fake.settings, scripts: SCRIPTS };
  });

  const crew = (by: string, ...words: string[]): Promise<string> => line.done(by, 'crew', ...words);
  const idOf = (text: string): string => /^run (\S+)/m.exec(text)?.[1] ?? '';

  it('should be run and followed to the result, and then be shown and listed', async () => {
    const out = await crew('member', 'run', 'task_decomposition', 'Make', 'a', 'garden');
    expect(out).toMatch(/^## Subtasks\n\n- \*\*Id:\*\* t1\n {2}- \*\*Title:\*\* Do the part t1\n/);
    expect(told).toMatch(/^run \S+\nplan \(planner\): running, 0 tokens\nplan \(planner\): completed, \d+ tokens\n/);
    const id = idOf(told);
    const shown = await crew('member', 'show', id);
    expect(shown).toContain(`run ${id} of task_decomposition: completed\n`);
    expect(shown).toMatch(/^estimate +estimator +completed +1 +\d+ +\S+ m?s$/m);
    expect(await crew('member', 'runs', '--crew', 'task_decomposition')).toMatch(
      new RegExp(String.raw`^task_decomposition +completed +tg:2 +\S+ +${id}$`, 'm'),
    );
    expect(await crew('member', 'list')).toMatch(/^task_decomposition +Task decomposition +shipped +/m);
  });

  it('should run again from a task, and be compared with what it was before', async () => {
    await crew('member', 'run', 'task_decomposition', 'Make a garden');
    const first = idOf(told);
    told = '';
    const estimates = ['t1', 't2', 't3'].map((id) => ({ id, hours: 2, confidence: 'low' }));
    fake.settings = { ...fake.settings, scripts: { ...SCRIPTS, 'Estimate each subtask': [{ estimates }] } };
    expect(await crew('member', 'rerun', first, '--from', 'estimate')).toContain('**Hours:** 2');
    const second = idOf(told);
    expect(second).not.toBe(first);
    const compared = await crew('member', 'compare', first, second);
    expect(compared).toMatch(/^plan +same +completed \/ reused /m);
    expect(compared).toMatch(/^estimate +changed +completed .* estimates\[0\]\.hours, /m);
  });

  it('should be given to a DAO by whoever may, and be taken away', async () => {
    const file = join(product.home, 'mine.yml');
    await crew('admin', 'new', 'mine', '--file', file);
    expect((await line.dagi('member', ['crew', 'put', file])).error).toMatchObject({ code: 'RBAC_PERMISSION_DENIED' });
    expect(await crew('admin', 'put', file)).toMatch(
      /^crew mine: .*, version [0-9a-f]{16}; its next runs go by this$/m,
    );
    expect(await crew('member', 'list')).toMatch(/^mine .* own /m);
    await crew('admin', 'delete', 'mine');
    expect(await crew('member', 'list')).not.toMatch(/^mine /m);
  });

  it('should tell what a run asks, and go on as people decide', async () => {
    const out = await crew('guest', 'run', 'microdao_onboarding', 'I can code.');
    const id = idOf(told);
    expect(out).toContain('asked: Give this person the suggested role?\n');
    expect(out).toContain('    Once approved, tg:99 gets the role contributor.\n');
    expect(out).toMatch(
      new RegExp(`Whoever may decide it does so with these \\(.*\\):\n  npx dagi crew approve ${id}\n`),
    );
    expect(await crew('admin', 'runs', '--state', 'waiting_approval')).toContain(id);
    const own = await line.dagi('guest', ['crew', 'approve', id]);
    expect(own.error).toMatchObject({ code: 'GATE_NOT_FOUND', message: expect.stringContaining('dagi crew show') });
    await crew('admin', 'return', id, '--comment', 'Look again.');
    await until(async () => (await crew('admin', 'show', id)).includes('of round 2'));
    await until(async () => (await crew('admin', 'show', id)).includes('Decide it with:'));
    expect(await crew('admin', 'approve', id)).toMatch(/^written down; the run goes on by itself: npx dagi crew show /);
    await until(async () => (await crew('guest', 'show', id)).includes(': completed\n'));
    const shown = await crew('guest', 'show', id);
    expect(shown).toContain('\n## Suggested role\n\ncontributor\n');
    expect(shown).toMatch(/^output\.suggest_role-1: return by \S+: Look again\.$/m);
  });

  it('should let a draft carry what the crew says of it, and tell when it says something else', async () => {
    const draft = ['--title', 'A barn', '--text', 'Let us rent one.'];
    expect(await line.done('member', 'proposal', 'create', ...draft)).toContain('proposal 1: A barn\n');
    const reviewed = await line.done('member', 'proposal', 'review', '1');
    const id = idOf(told);
    expect(told).toContain('check_legal (legal_checker): completed');
    expect(reviewed).toMatch(new RegExp(String.raw`^review of \S+, run ${id}$`, 'm'));
    expect(reviewed).toContain('## Legal findings\n\n- **Finding:** It does not say who signs for the barn.\n');
    const other = await line.dagi('admin', ['proposal', 'create', '--title', 'B', '--text', 'C', '--review', id]);
    expect(other.error).toMatchObject({ code: 'REVIEW_INVALID' });
    const call = { key: line.keys.member! };
    const { body } = await product.call('PATCH', '/proposals/1', call, { text: 'Let us buy one.' });
    const { review } = body as unknown as { review: unknown };
    expect(review).toMatchObject({ run_id: id, current: false, result: { recommendation: 'revise' } });
  });

  it('should be ended by whoever began it', async () => {
    const out = await crew('guest', 'run', 'microdao_onboarding', 'I can code.', '--no-follow');
    const id = idOf(out);
    expect(out).toBe(`run ${id} is under way; see it: npx dagi crew show ${id}\n`);
    await crew('guest', 'cancel', id);
    await until(async () =>
      (await crew('guest', 'show', id)).includes(`run ${id} of microdao_onboarding: cancelled\n`),
    );
  });

  it('should fail with task and reason', async () => {
    fake.settings = { ...fake.settings, scripts: { ...SCRIPTS, 'Estimate each subtask': ['no'] } };
    const { out, error } = await line.dagi('member', ['crew', 'run', 'task_decomposition', 'Make a garden']);
    expect(out).toBe('');
    expect(error).toMatchObject({ code: 'CREW_FAILED', message: expect.stringContaining('It is task estimate: ') });
    const unfit = await line.dagi('member', ['crew', 'run', 'task_decomposition', '--input', 'task=7']);
    expect(unfit.error).toMatchObject({ code: 'CREW_INPUTS_INVALID', message: expect.stringContaining('string') });
  });
});
