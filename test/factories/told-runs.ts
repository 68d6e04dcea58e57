/** What is asked of people in a run, as the API tells it. */
export const GATE = {
  ...{ id: 'output.draft-1', kind: 'approval', task: 'draft', state: 'open', ask: 'Shall it go out?' },
  ...{ shown: { output: { title: 'A tale' } }, rules: { roles: ['admin', 'steward'], count: 2, self: false } },
  ...{ revision: 1, expires_at: 'T9', decisions: [], may_decide: true },
};

/** A run that has ended well, as the API tells it. */
export const RUN = {
  ...{ ok: true, run_id: 'r1', crew: 'team', state: 'completed', started_by: 'tg:5', subject: 'tg:9', base_run: 'r0' },
  ...{ started_at: 'T1', ended_at: 'T2', gates: [], error: null },
  definition: { result: { title: 'draft.title', parts: 'draft.parts' } },
  tasks: [
    { task: 'draft', agent: 'writer', state: 'completed', round: 3, attempt: 2, problem: 'too\nlong' },
    { task: 'judge', agent: 'critic', state: 'skipped', round: 1, attempt: 1, problem: null },
  ],
  steps: [
    { task: 'draft', usage: { total_tokens: 1_000 }, ms: 2_000 },
    { task: 'draft', usage: { total_tokens: 200 }, ms: 100 },
    { task: 'judge', usage: null, ms: 400 },
  ],
  spent: { tokens: 1_234, cost_usd: null, ms: 2_500 },
  result: { result: { parts: ['one', 'two'], title: 'A tale' }, agents: {} },
};
