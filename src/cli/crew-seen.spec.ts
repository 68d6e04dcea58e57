import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { GATE, RUN } from '../../test/factories/told-runs.js';
import type { DagiClient } from './client.js';
import { compareRuns } from './crew-compare.js';
import { cancelRun, decideRun } from './crew-decisions.js';
import { DECISIONS } from './crew-gates.js';
import { listCrews, listGates, listRuns } from './crew-lists.js';
import { failureOf, seenRun, showRun } from './crew-seen.js';
import { CliError } from './failure.js';

describe('runs of crews at the command line', () => {
  const json = jest.fn<DagiClient['json']>();
  const client = { json } as unknown as DagiClient;

  beforeEach(() => {
    json.mockReset().mockResolvedValue(RUN);
  });

  it('show tells each task with its agent, state, attempt and cost, then the result in the order of the crew', async () => {
    const { text, answer } = await showRun(client, 'r1', { as: 'tg:5' });
    expect(json).toHaveBeenCalledWith('GET', '/crews/runs/r1?user_id=tg%3A5', {});
    expect(answer).toBe(RUN);
    expect(text.split('\n')).toEqual([
      'run r1 of team: completed',
      'started by tg:5 at T1, about tg:9, ended T2',
      'spent 1,234 tokens, 2.5 s of work',
      'goes on from r0',
      '',
      'task   agent   state      attempt       tokens  work    problem',
      'draft  writer  completed  2 of round 3  1,200   2.1 s   too long',
      'judge  critic  skipped    1             0       400 ms',
      '',
      '## Title',
      '',
      'A tale',
      '',
      '## Parts',
      '',
      '- one',
      '- two',
      '',
    ]);
  });

  it('show tells what a task at work has met that is tried again', async () => {
    const tasks = [{ ...RUN.tasks[1]!, state: 'running' }];
    const steps = [{ ...RUN.steps[2]!, error: { code: 'PROVIDERS_COOLING', message: 'All rest.' } }];
    json.mockResolvedValue({ ...RUN, state: 'running', result: null, tasks, steps });
    expect((await showRun(client, 'r1')).text).toMatch(/^judge .* 400 ms +PROVIDERS_COOLING, tries again$/m);
  });

  it('show tells what is asked, who decides, and how', async () => {
    const decisions = [{ by: 'p_1', decision: 'approve', comment: 'Fine.' }];
    const gates = [
      { ...GATE, decisions },
      { ...GATE, id: 'old', state: 'approved' },
    ];
    json.mockResolvedValue({ ...RUN, state: 'waiting_approval', result: null, gates });
    const { text } = await showRun(client, 'r1');
    expect(text.slice(text.indexOf('asked')).split('\n')).toEqual([
      'asked: Shall it go out?',
      'approval output.draft-1 of task draft; 2 approvals by admin or steward until T9',
      '    ## Title',
      '',
      '    A tale',
      'approve by p_1: Fine.',
      'Decide it with:',
      '  npx dagi crew approve r1',
      '  npx dagi crew reject r1',
      '  npx dagi crew return r1 --comment "…"',
      '',
    ]);
  });

  it('show tells what is done once an output is approved', async () => {
    const shown = { output: { role: 'member' }, action: { action: 'assign_role', role: 'member', user_id: 'tg:9' } };
    json.mockResolvedValue({ ...RUN, state: 'waiting_approval', result: null, gates: [{ ...GATE, shown }] });
    const { text } = await showRun(client, 'r1');
    expect(text).toContain('\n    Once approved, tg:9 gets the role member.\n\n    ## Role\n');
  });

  it('compare tells of each task what differs, and what both took', async () => {
    const same = { task: 'draft', outcome: 'same', states: ['completed', 'completed'], changed: [] };
    const other = { task: 'judge', outcome: 'only_second', states: [null, 'completed'], tokens: [0, 9], ms: [0, 50] };
    json.mockResolvedValue({
      ok: true,
      tasks: [
        { ...same, tokens: [1_200, 1_200], ms: [2_100, 400] },
        { ...other, changed: ['a', 'b[0]', 'c', 'd', 'e'] },
      ],
    });
    expect((await compareRuns(client, 'r1', 'r2', { as: 'tg:5' })).text.split('\n')).toEqual([
      'task   output       state          tokens  work            what differs',
      'draft  same         completed      1,200   2.1 s / 400 ms',
      'judge  only second  - / completed  0 / 9   0 ms / 50 ms    a, b[0], c and 2 more',
      '',
    ]);
    expect(json).toHaveBeenCalledWith('GET', '/crews/runs/r1/compare?with=r2&user_id=tg%3A5', {});
  });

  it('show names gates of which there are several, and the revision of one that was changed', async () => {
    const use = { ...GATE, id: "tool.it's", shown: { tool: 'fs_write', params: { path: 'a.md' } }, revision: 2 };
    const rules = { roles: [], count: 1 };
    const question = {
      ...GATE,
      id: 'q',
      kind: 'question',
      ask: 'For\nwhom?',
      shown: { question: 'For\nwhom?' },
      rules,
    };
    const limit = { ...GATE, id: 'l', kind: 'limit', task: null, shown: { limit: 'tokens' }, may_decide: false };
    json.mockResolvedValue({ ...RUN, state: 'paused', gates: [GATE, use, question, limit] });
    const { text } = await showRun(client, 'r1');
    expect(text).toContain('  npx dagi crew approve r1 --gate output.draft-1\n');
    expect(text).toContain(`  npx dagi crew return r1 --gate 'tool.it'\\''s' --revision 2 --comment "…"\n`);
    expect(text).toContain('    ## Tool\n\n    fs_write\n');
    expect(text).toContain(
      'asked: For whom?\nquestion q of task draft; whoever started the run until T9\nDecide it with:\n',
    );
    expect(text).toContain('  npx dagi crew answer r1 --comment "…"\n');
    expect(text).toContain(
      'limit l; 2 approvals by admin or steward until T9\n    ## Limit\n\n    tokens\nWhoever may decide',
    );
    expect(text).toContain('  npx dagi crew continue r1\n  npx dagi crew stop r1\n');
  });

  it('show tells why a run failed, with task and reason, and lets nothing steer a terminal', async () => {
    const error = { code: 'CREW_FAILED', message: 'It could not.', task: 'draft', reason: 'no \u001btitle' };
    const failed = { ...RUN, state: 'failed', result: null, error };
    json.mockResolvedValue(failed);
    expect((await showRun(client, 'r1')).text).toContain('\nCREW_FAILED: It could not. It is task draft: no title\n');
    expect(failureOf(seenRun(failed))).toMatchObject({
      code: 'CREW_FAILED',
      message: expect.stringContaining('draft'),
    });
    expect(failureOf(seenRun({ ...RUN, state: 'cancelled', result: null }))).toMatchObject({
      code: 'REQUEST_CANCELLED',
    });
    expect(failureOf(seenRun(RUN))).toBeUndefined();
  });

  it('list tells which crews are the DAO’s own', async () => {
    const crew = { id: 'team', name: 'Team', description: 'Writes.', own: false };
    json.mockResolvedValue({ ok: true, crews: [crew, { ...crew, id: 'mine', own: true }] });
    expect((await listCrews(client, { dao: 'orchard', as: 'tg:5' })).text).toBe(
      'id    name  from     description\nteam  Team  shipped  Writes.\nmine  Team  own      Writes.\n',
    );
    expect(json).toHaveBeenCalledWith('GET', '/crews?dao_id=orchard&user_id=tg%3A5', {});
  });

  it('runs tells the newest ones first, and which of them wait', async () => {
    const run = { run_id: 'r2', crew: 'team', status: 'running', started_by: 'tg:5', started_at: 'T2', open_gates: 1 };
    json.mockResolvedValue({ ok: true, runs: [run, { ...run, run_id: 'r1', open_gates: 0 }], next: null });
    expect(
      (await listRuns(client, { dao: 'orchard', crew: 'team', state: 'running', limit: 5 })).text.split('\n'),
    ).toEqual([
      'crew  state             started by  when  run',
      'team  waiting_approval  tg:5        T2    r2',
      'team  running           tg:5        T2    r1',
      '',
    ]);
    const path = '/crews/runs?dao_id=orchard&crew=team&state=running&limit=5&after=';
    expect(json).toHaveBeenCalledWith('GET', path, {});
  });

  it('gates tells what waits for whoever asks, run by run', async () => {
    const gate = { ...GATE, run_id: 'r1', crew: 'team', reminded_at: 'T5' };
    json.mockResolvedValue({ ok: true, gates: [gate] });
    const { text } = await listGates(client, { dao: 'orchard', as: 'tg:1' });
    expect(text).toContain('run r1 of team\nasked: Shall it go out?\n');
    expect(text).toContain('\nreminded of it at T5\n');
    expect(text).toContain('\n  npx dagi crew approve r1 --as tg:1\n');
    expect(json).toHaveBeenCalledWith('GET', '/crews/gates?dao_id=orchard&user_id=tg%3A1', {});
    json.mockResolvedValue({ ok: true, gates: [] });
    expect((await listGates(client)).text).toMatch(/^nothing waits for you \(.* --as MEMBER\)\n$/);
  });

  it.each(Object.keys(DECISIONS) as (keyof typeof DECISIONS)[])(
    '%s says what was seen, and who decides',
    async (decision) => {
      await decideRun(client, 'r/1', decision, { gate: 'g', comment: 'So.', revision: 2, as: 'tg:5' });
      await decideRun(client, 'r1', decision);
      expect(json.mock.calls).toEqual([
        [
          'POST',
          `/crews/runs/r%2F1/${decision}`,
          { body: { gate: 'g', comment: 'So.', revision: 2, user_id: 'tg:5' } },
        ],
        ['POST', `/crews/runs/r1/${decision}`, { body: {} }],
      ]);
    },
  );

  it('cancel waits for the end', async () => {
    const going = { ...RUN, state: 'running', ended_at: null, result: null };
    json.mockResolvedValueOnce(going).mockResolvedValueOnce(going);
    json.mockResolvedValueOnce({ ...RUN, state: 'cancelled', result: null });
    expect((await cancelRun(client, 'r1', { as: 'tg:5' }, 0)).text).toContain('run r1 of team: cancelled\n');
    expect(json.mock.calls.map(([method, path]) => `${method} ${path}`)).toEqual([
      'POST /crews/runs/r1/cancel?user_id=tg%3A5',
      ...['GET /crews/runs/r1?user_id=tg%3A5', 'GET /crews/runs/r1?user_id=tg%3A5'],
    ]);
  });

  it.each([
    ['RUN_NOT_FOUND', {}, 'dagi crew runs'],
    ['CREW_NOT_FOUND', {}, 'dagi crew list'],
    ['GATE_CHANGED', { revision: 3 }, '--revision 3'],
    ['CREW_INPUTS_INVALID', { problems: ['task must be string', { at: 1 }] }, 'task must be string; {"at":1}'],
    ['CREW_STOPPED', { task: null, reason: 'tokens' }, 'It is tokens'],
  ])('explains %s %j', async (code, detail, remedy) => {
    json.mockRejectedValue(new CliError(code, 'No.', detail));
    await expect(showRun(client, 'r1')).rejects.toMatchObject({ code, message: expect.stringContaining(remedy) });
  });
});
