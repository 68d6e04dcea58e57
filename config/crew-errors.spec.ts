import { describe, expect, it } from '@jest/globals';
import { changed, CREW, expectComplaint, refusalOf, type Row } from '../test/factories/crews.js';
import { readCrew } from './crews.js';

const many = (amount: number, entry: (index: number) => string): string =>
  Array.from({ length: amount }, (_, index) => entry(index)).join('\n');
const AGENT = (index: number): string => `  a${index}: { role: R, goal: G }`;
const TASK = (index: number): string =>
  `  t${index}: { agent: critic, instruction: Do., output: { type: object, properties: { a: { type: string } } } }`;

const FORM: readonly Row[] = [
  [
    'an unknown key',
    'description: A team.',
    'descripton: A team.',
    '3:1: descripton: unknown key; did you mean `description`?',
  ],
  [
    'an unknown key of a task',
    '    needs: [draft]',
    '    need: [draft]',
    '46:5: tasks.judge.need: unknown key; did you mean `needs`?',
  ],
  [
    'an unknown key of a check',
    'check: unique, at:',
    'check: unique, att: x, at:',
    /checks\[0\]\.att: unknown key; did you mean `at`\?$/,
  ],
  [
    'an unknown check',
    'check: unique',
    'check: uniq',
    /checks\[0\].*: expected `check`, one of acyclic, unique, among, covers, role/,
  ],
  ['something missing', 'name: Team\n', '', '1:1: name: missing; expected text'],
  ['a bad id', 'id: team', 'id: Team', /^team\.yml:1:1: id: expected small letters, digits/],
  ['an empty text', 'name: Team', 'name: " "', '2:1: name: expected some text'],
  [
    'an id that is taken',
    '  critic:\n',
    '  item:\n',
    /agents\.item: one of inputs, gathered, item, constructor is no id$/,
  ],
  [
    'what every object has',
    '  critic:\n',
    '  constructor:\n',
    /agents\.constructor: one of inputs, gathered, item, constructor/,
  ],
  ['a bad id of a task', '  judge:\n', '  Judge it:\n', /tasks\.Judge it: expected small letters, digits and "_"/],
  [
    'a part of an output that every object has',
    '        title: {',
    '        toString: {',
    /toString: not a name that a part may have/,
  ],
  [
    'an unknown process',
    'process: parallel',
    'process: paralel',
    /process: expected one of sequential, parallel, hierarchical, found "paralel"; did you mean `parallel`\?/,
  ],
  [
    'an unknown tool',
    'tools: [fs_read]',
    'tools: [fs_raed]',
    /tasks\.draft\.tools\[0\]: expected one of .*found "fs_raed"; did you mean `fs_read`\?$/,
  ],
  [
    'a number out of range',
    'goal: Judge.',
    'goal: Judge.\n    limits: { turns: 0 }',
    /agents\.critic\.limits\.turns: expected at least 1, found 0$/,
  ],
  [
    'a text that is too long',
    'goal: Judge.',
    `goal: ${'x'.repeat(2_001)}`,
    /agents\.critic\.goal: expected at most 2000 characters, found 2001$/,
  ],
  [
    'a template',
    'Write about inputs.topic.',
    '"Write about {{topic}}."',
    /tasks\.draft\.instruction: there are no templates: name the values in `uses`/,
  ],
  [
    'a bad reference',
    'uses: [draft.parts]',
    'uses: ["draft.parts[0]"]',
    /uses\[0\]: expected names with dots between them, such as/,
  ],
  ['what is there twice', 'needs: [draft]', 'needs: [draft, draft]', /needs\[1\]: the task is there twice/],
  ['too many agents', 'agents:\n', `agents:\n${many(20, AGENT)}\n`, /agents: expected at most 20 agents/],
  ['no tasks', 'result:', 'result: {}\nbudget:', /result: expected at least one name with a reference/],
  ['too many tasks', 'tasks:\n', `tasks:\n${many(49, TASK)}\n`, /tasks: expected at most 50 tasks/],
];

const NAMES: readonly Row[] = [
  [
    'an unknown agent',
    'agent: critic',
    'agent: critik',
    '44:5: tasks.judge.agent: there is no agent "critik"; did you mean `critic`?',
  ],
  ['an unknown need', 'needs: [draft]', 'needs: [draf]', /needs\[0\]: there is no task "draf"; did you mean `draft`\?/],
  [
    'a circle',
    'agent: writer',
    'agent: writer\n    needs: [judge]',
    /tasks\.draft\.needs: the needs go in a circle: draft -> judge -> draft$/,
  ],
  [
    'a need of its own',
    'needs: [draft]',
    'needs: [draft, judge]',
    /tasks\.judge\.needs: the needs go in a circle: judge -> judge$/,
  ],
  [
    'a tool that the agent has not',
    'needs: [draft]',
    'needs: [draft]\n    tools: [fs_read]',
    /tasks\.judge\.tools\[0\]: the agent "critic" does not have it/,
  ],
  [
    'an unknown input',
    'uses: [draft.parts]',
    'uses: [inputs.topik]',
    /uses\[0\]: "inputs" has no "topik"; did you mean `topic`\?/,
  ],
  ['inputs as a whole', 'uses: [draft.parts]', 'uses: [inputs]', /uses\[0\]: expected an input: inputs\.<name>/],
  [
    'an unknown beginning',
    'uses: [draft.parts]',
    'uses: [input.topic]',
    /uses\[0\]: "input" is neither inputs, gathered nor a task; did you mean `inputs`\?/,
  ],
  [
    'an unknown part',
    'uses: [draft.parts]',
    'uses: [draft.partz]',
    /uses\[0\]: "draft" has no "partz"; did you mean `parts`\?/,
  ],
  [
    'a part of a list',
    'uses: [draft.parts]',
    'uses: [draft.parts.id]',
    /uses\[0\]: "parts" is a list: write `parts\[\]` to lead into its entries/,
  ],
  ['entries of what is no list', 'uses: [draft.parts]', "uses: ['draft.title[]']", /uses\[0\]: "title" is no list/],
  ['a part of a text', 'uses: [draft.parts]', 'uses: [draft.title.first]', /uses\[0\]: "title" has no parts/],
  [
    'what is not needed',
    '    needs: [draft]\n',
    '',
    /tasks\.judge\.uses\[0\]: this task does not need "draft": add it to `needs`/,
  ],
  ['its own output', 'uses: [draft.parts]', 'uses: [judge.role]', /uses\[0\]: a task has no output of its own yet/],
  [
    'one of which there is one',
    'params: { path: src, limit: 5 } }',
    'params: { path: src, limit: 5 }, one_of: list }',
    /gather\[0\]\.one_of: nothing else is "list"$/,
  ],
  [
    'one of several that is optional',
    'params: { path: src, limit: 5 } }',
    'params: { path: src, limit: 5 }, one_of: list, optional: true }',
    /gather\[0\]\.optional: has no effect with `one_of`/,
  ],
  [
    'what is not gathered',
    'gathered.list]',
    'gathered.lists]',
    /uses\[1\]: nothing is gathered as "lists" before this; did you mean `list`\?/,
  ],
  [
    'what another task gathers',
    'uses: [draft.parts]',
    'uses: [gathered.list]',
    /tasks\.judge\.uses\[0\]: nothing is gathered as "list" before this/,
  ],
  [
    'an entry where there is none',
    'uses: [draft.parts]',
    'uses: [item.path]',
    /uses\[0\]: `item` is there in the params of `each` alone/,
  ],
  [
    'a result of an input',
    'title: draft.title',
    'title: inputs.topic',
    /^team\.yml:\d+:3: result\.title: expected the output of a task/,
  ],
  [
    'a result of no task',
    'title: draft.title',
    'title: draff.title',
    /result\.title: "draff" is neither inputs, gathered nor a task; did you mean `draft`/,
  ],
  [
    'a text input that is not there',
    'text_input: topic',
    'text_input: topics',
    /text_input: there is no input "topics"; did you mean `topic`\?/,
  ],
  [
    'a text input that is no text',
    'text_input: topic',
    'text_input: count',
    /text_input: the input "count" is not of type string/,
  ],
  ['a subject that is no text', 'subject: who', 'subject: tags', /subject: the input "tags" is not of type string/],
  ['guests and no subject', 'subject: who', 'open_to_guests: true', /open_to_guests: needs `subject`/],
  ['no manager', 'process: parallel', 'process: hierarchical', /process: needs `manager`/],
  [
    'a manager who is no agent',
    'process: parallel',
    'process: hierarchical\nmanager: boss',
    /manager: there is no agent "boss"/,
  ],
  [
    'a manager with nothing to manage',
    'process: parallel',
    'process: parallel\nmanager: critic',
    /manager: has no effect with process parallel/,
  ],
  [
    'decisions of no manager',
    'process: parallel',
    'process: parallel\nmax_handoffs: 7',
    '5:1: max_handoffs: has no effect with process parallel',
  ],
  [
    'too many decisions',
    'process: parallel',
    'process: hierarchical\nmanager: critic\nmax_handoffs: 201',
    /max_handoffs: expected at most 200, found 201/,
  ],
  ['nobody who decides on limits', 'process: parallel', 'limit_roles: []', /limit_roles: expected at least 1 entry/],
];

describe('a crew', () => {
  it('should be taken as it stands, and with leave to write', () => {
    expect(refusalOf(CREW)).toEqual([]);
    const writing = [
      '    tools: [fs_read]\n    output',
      '    tools: [fs_write]\n    writes_without_approval: true\n    output',
      '    tools: [fs_write]\n    tool_approval: { ask: Well?, roles: [admin] }\n    output',
    ];
    expect(refusalOf(changed([writing[0]!, writing[1]!]))).toEqual([]);
    expect(refusalOf(changed([writing[0]!, writing[2]!]))).toEqual([]);
  });

  it('should be a map', () => {
    expect(refusalOf('- a')).toEqual(['team.yml:1:1: expected the keys of a crew, such as `id`']);
  });

  it('should name roles of the DAO where these are known', () => {
    expect(refusalOf(CREW, { roles: ['admin', 'member', 'contributor'] })).toEqual([]);
    const writing = [
      '    tools: [fs_read]\n',
      '    tools: [fs_write]\n    tool_approval: { ask: Well?, roles: [admin] }\n',
    ] as const;
    const complaints = refusalOf(changed(writing), { roles: ['admins', 'member'] });
    expect(complaints.map((line) => line.replace(/^team.yml:\d+:\d+: /, '')).toSorted()).toEqual([
      'limit_roles[0]: there is no role "admin" in this DAO; did you mean `admins`?',
      'tasks.draft.tool_approval.roles[0]: there is no role "admin" in this DAO; did you mean `admins`?',
      'tasks.judge.action.assignable[1]: there is no role "contributor" in this DAO',
      'tasks.judge.approval.roles[0]: there is no role "admin" in this DAO; did you mean `admins`?',
      'tasks.judge.checks[0].among[1]: there is no role "contributor" in this DAO',
    ]);
  });
});

describe.each([
  ['form', FORM],
  ['names', NAMES],
])('a crew is refused for its %s', (_kind, rows) => {
  it.each(rows)('%s', (...row) => {
    expectComplaint(row);
  });
});

describe('problems of a crew that was sent', () => {
  it('should have paths and no places', () => {
    const read = readCrew({ id: 'team', name: 'Team', tasks: { a: { agnt: 'x' } } });
    expect(read).toMatchObject({
      problems: expect.arrayContaining([
        { path: 'tasks.a.agnt', message: 'unknown key; did you mean `agent`?' },
        { path: 'description', message: 'missing; expected text' },
      ]),
    });
  });

  it('should be told in part where there are very many', () => {
    const tools = Array.from({ length: 15_000 }, (_, index) => `fs_rea${index}`);
    const read = readCrew({ id: 'team', name: 'Team', agents: { a: { role: 'R', goal: 'G', tools } } });
    expect('problems' in read && read.problems.length).toBe(100);
  });

  it('should be told of what is no crew at all', () => {
    expect(readCrew('x')).toEqual({ problems: [{ path: '', message: 'expected keys with values, found "x"' }] });
    let deep: unknown = 1;
    for (let level = 0; level < 5_000; level += 1) deep = [deep];
    expect(readCrew(deep)).toEqual({ problems: [{ path: '', message: 'nested too deeply' }] });
  });
});
