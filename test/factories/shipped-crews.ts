import { GOOD, ISSUE, SLOW } from '../fakes/crew-answers.js';
import type { ScriptedAnswer } from '../fakes/fake-dialect.js';

export const NO_CODE = 'Nothing for reviewers of code.';

/** A small repository with faults in it, by path. */
export const REPOSITORY: Readonly<Record<string, string>> = {
  'shop/login.js': 'export const login = (user) =>\n  user.password === "hunter2";\n',
  'shop/search.js': "export const search = (db, word) =>\n  db.query(`select * from goods where name = '${word}'`);\n",
  'shop/lib/report.js':
    'export const doubles = (orders) =>\n  orders.filter((one) => orders.filter(({ id }) => id === one.id).length > 1);\n',
  'shop/README.md': `${NO_CODE}\n`,
};

export const PROPOSAL = { title: 'Rent the old barn', text: 'We rent the barn behind the mill for 400 euros.' };

/** A shipped crew with all that its agents are told and say. */
export interface ShippedRun {
  inputs: object;
  /** Who starts it. */
  by: string;
  /** Tasks by words of their instructions; in the order of the file. */
  tasks: Readonly<Record<string, string>>;
  result: object;
  /** What models are told beside their instructions: by task, words that must be there. */
  told: Readonly<Record<string, readonly string[]>>;
  /** Answers that fit their schemas and cannot be right, by task, each with what is said of it. */
  wrong: Readonly<Record<string, readonly (readonly [Record<string, unknown>, string])[]>>;
  /** A task that is needed. */
  needed: string;
}

const said = (words: string): Record<string, unknown> => {
  const [answer] = GOOD[words] ?? [];
  if (typeof answer !== 'object') throw new Error(`nothing is said to ${words}`);
  return answer;
};

const SHOP = Object.values(REPOSITORY)
  .slice(0, 3)
  .map((text) => text.split('\n')[1]!.trim());
const twice = (list: unknown): unknown[] => [list, list].flat();

/** The crews that come along, by their ids. */
export const SHIPPED: Readonly<Record<string, ShippedRun>> = {
  code_review: {
    ...{ inputs: { path: 'shop' }, by: 'tg:222', needed: 'check_security' },
    tasks: {
      review: 'First write in assessment',
      check_security: 'Look for security faults',
      check_performance: 'slow or hungry',
      recommend: 'one to six recommendations',
    },
    result: {
      ...{ quality_score: 40, security_issues: [ISSUE], performance_warnings: [SLOW] },
      ...said('one to six recommendations'),
    },
    told: { review: SHOP, check_security: SHOP, check_performance: SHOP, recommend: [ISSUE.issue, SLOW.issue] },
    wrong: {
      check_security: [
        [
          { security_issues: [{ ...ISSUE, file: 'shop/none.js' }] },
          'is not one of gathered.file.path or gathered.files[].path',
        ],
      ],
      check_performance: [[{ performance_warnings: [{ ...SLOW, file: 'README.md' }] }, '"README.md" is not one of']],
      recommend: [[{ recommendations: twice('Take the password out of the code.') }, 'is there more than once']],
    },
  },
  microdao_onboarding: {
    ...{ inputs: { about: 'I can code.', name: 'Olena' }, by: 'tg:701', needed: 'welcome' },
    tasks: {
      welcome: 'Write a welcome message',
      suggest_role: 'Choose one role',
      first_steps: 'three to five first steps',
    },
    result: {
      ...said('Write a welcome message'),
      ...{ suggested_role: 'contributor', ...said('three to five first steps') },
    },
    told: { welcome: ['Olena', 'I can code.'], suggest_role: ['agent.devtools'], first_steps: ['I can code.'] },
    wrong: {
      suggest_role: [
        [{ ...said('Choose one role'), suggested_role: 'admin' }, '"admin" is not a role that can be given here'],
      ],
      first_steps: [
        [{ next_steps: twice(['Ask something.', 'Read the proposals.']) }, '"Ask something." is there more than once'],
      ],
    },
  },
  proposal_review: {
    ...{ inputs: { n: 1 }, by: 'tg:12345', needed: 'recommend' },
    tasks: {
      check_legal: 'duties towards authorities',
      analyze_finances: 'sums that are asked for',
      assess_impact: 'who gains, who loses',
      recommend: 'Weigh the three lists',
    },
    result: {
      legal_findings: said('duties towards authorities').findings,
      financial_findings: said('sums that are asked for').findings,
      impact_findings: said('who gains, who loses').findings,
      ...said('Weigh the three lists'),
    },
    told: {
      check_legal: [PROPOSAL.text],
      analyze_finances: [PROPOSAL.text],
      assess_impact: [PROPOSAL.text],
      recommend: ['who signs for the barn', '400 euros and names no month', 'Members who have no car'],
    },
    wrong: {
      check_legal: [[{ findings: twice(said('duties towards authorities').findings) }, 'is there more than once']],
      assess_impact: [[{ findings: twice(said('who gains, who loses').findings) }, 'is there more than once']],
    },
  },
  task_decomposition: {
    ...{ inputs: { task: 'Make a garden' }, by: 'tg:12345', needed: 'find_dependencies' },
    tasks: {
      plan: 'into three to eight subtasks',
      estimate: 'Estimate each subtask',
      find_dependencies: 'depends_on has the ids',
    },
    result: {
      ...said('into three to eight subtasks'),
      ...{ ...said('Estimate each subtask'), ...said('depends_on has the ids') },
    },
    told: { plan: ['Make a garden'], estimate: ['Buy the seeds'], find_dependencies: ['Buy the seeds'] },
    wrong: {
      plan: [
        [
          { subtasks: ['t1', 't2', 't3'].map((id) => ({ id, title: 'Do the same' })) },
          '"Do the same" is there more than once',
        ],
      ],
      estimate: [
        [
          { estimates: ['t1', 't2'].map((id) => ({ id, hours: 1, confidence: 'high' })) },
          '"t3" of plan.subtasks[].id is missing',
        ],
        [
          { estimates: ['t1', 't2', 't9'].map((id) => ({ id, hours: 1, confidence: 'high' })) },
          '"t9" is not one of plan.subtasks[].id',
        ],
      ],
      find_dependencies: [
        [
          { dependencies: ['t1', 't2', 't3'].map((id, at) => ({ id, depends_on: [`t${((at + 1) % 3) + 1}`] })) },
          'in a circle: t1 -> t2 -> t3 -> t1',
        ],
      ],
    },
  },
};

/** An answer that is none of what was asked for; a fourth turn is the last that an agent takes. */
export function malformed(words: string, at: number): ScriptedAnswer[] {
  const good = said(words);
  const cut = JSON.stringify(good).slice(0, -8);
  const wrongTypes = Object.fromEntries(Object.keys(good).map((name) => [name, { not: 'this' }]));
  const calls = { tools: [{ name: 'fs_write', arguments: '{"path": "shop/log' }] };
  return [calls, at % 2 === 0 ? 'I would say: all is well.' : wrongTypes, { cut }, good];
}
