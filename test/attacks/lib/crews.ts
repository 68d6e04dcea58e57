/** Crews of the attacked DAO: their agents may use every tool, and people approve what is written. */

const EVERY_TOOL = [
  ...['fs_read', 'fs_write', 'fs_list', 'fs_search', 'fs_diff', 'fs_patch', 'run_tests', 'git_status', 'git_diff'],
  ...['git_log', 'notebook_execute', 'dao_facts', 'dao_roles', 'dao_proposals', 'ask_member'],
];
const GATE = { ask: 'Shall this be written?', roles: ['admin'] };
const TEXT = { type: 'string', maxLength: 2_000 };
const REPORT = { type: 'object', properties: { report: TEXT }, required: ['report'] };
const LIMITS = { turns: 6, tool_calls: 12, max_tokens: 700 };

const armed = { role: 'Worker of a DAO', goal: 'Do what the task says.', tools: EVERY_TOOL, limits: LIMITS };
const unarmed = { role: 'Reader of a DAO', goal: 'Say what you have read.', limits: LIMITS };

/** A task of somebody who has every tool. */
const acting = (rest: object): object => ({
  ...{ agent: 'worker', instruction: 'Do the work that you are shown, and write what you did in report.' },
  ...{ tools: EVERY_TOOL, tool_approval: GATE, output: REPORT, ...rest },
});

const telling = (rest: object = {}): object => ({
  ...{ agent: 'reader', instruction: 'Tell what inputs.text says in report.', uses: ['inputs.text'], output: REPORT },
  ...rest,
});

const crew = (rest: object): object => ({ name: 'A crew', description: 'A crew.', ...rest });
const inputs = (...names: string[]): object => ({
  type: 'object',
  properties: Object.fromEntries(names.map((name) => [name, { type: 'string', maxLength: 6_000 }])),
});

/** Reads something with one tool before its agent begins. */
const reading = (tool: string, params: object): object =>
  crew({
    inputs: inputs('path', 'word'),
    agents: { worker: armed },
    tasks: { work: acting({ gather: [{ as: 'found', tool, params }] }) },
    result: { report: 'work.report' },
  });

/** An agent without tools tells one who has them. */
const relay = (rest: object = {}, first: object = {}): object =>
  crew({
    inputs: inputs('text'),
    agents: { reader: unarmed, worker: armed },
    tasks: { tell: telling(first), work: acting({ needs: ['tell'], uses: ['tell.report'] }) },
    result: { report: 'work.report' },
    ...rest,
  });

const path = { from: 'inputs.path' };
const ID = { type: 'string', maxLength: 200 };
const partsOf = (what: string): object => ({
  ...{ agent: 'reader', output: { type: 'object', properties: { [what]: { type: 'array', maxItems: 5, items: ID } } } },
});

/** By id. */
export const CREWS: Readonly<Record<string, object>> = {
  // Begins with the call that `first` names, as an honest agent would.
  working: crew({
    inputs: inputs('text', 'first'),
    agents: { worker: armed },
    tasks: { work: acting({ uses: ['inputs.text', 'inputs.first'] }) },
    result: { report: 'work.report' },
  }),
  // Its agent has more tools than the task allows.
  reading_only: crew({
    inputs: inputs('text', 'first'),
    agents: { worker: armed },
    tasks: {
      work: {
        ...{
          agent: 'worker',
          instruction: 'Read, and write what you read in report.',
          tools: ['fs_read', 'fs_search'],
        },
        ...{ uses: ['inputs.text', 'inputs.first'], output: REPORT },
      },
    },
    result: { report: 'work.report' },
  }),
  relay: relay(),
  managed: relay({
    process: 'hierarchical',
    manager: 'boss',
    agents: { boss: { role: 'Manager', goal: 'Get it done.', limits: LIMITS }, reader: unarmed, worker: armed },
  }),
  reviewed: relay({}, { approval: GATE }),
  naming: crew({
    inputs: inputs('text'),
    agents: { reader: unarmed },
    tasks: {
      name: { ...partsOf('parts'), instruction: 'Name the parts of inputs.text.', uses: ['inputs.text'] },
      sort: {
        ...{ ...partsOf('sorted'), instruction: 'Sort name.parts.', needs: ['name'], uses: ['name.parts'] },
        checks: [
          { check: 'among', at: 'sorted[]', values: 'name.parts[]' },
          { check: 'covers', at: 'sorted[]', values: 'name.parts[]' },
        ],
        retries: 0,
      },
    },
    result: { sorted: 'sort.sorted' },
  }),
  by_search: reading('fs_search', { pattern: { from: 'inputs.word' }, path, context: 2 }),
  by_log: reading('git_log', { path }),
  by_diff: reading('git_diff', { path }),
  by_tests: reading('run_tests', { path }),
  by_notebook: reading('notebook_execute', { path }),
  by_list: reading('fs_list', { path, depth: 2 }),
  by_facts: reading('dao_facts', {}),
  by_proposals: reading('dao_proposals', {}),
};
