import { z } from 'zod';
import type { GateDecision, GateKind } from '../contracts/crew.js';
import { crewMarkdown } from '../domain/crew/result-markdown.js';
import { counted } from './count.js';
import { plain } from './plain-text.js';
import { quoted } from './people.js';

type Decision = GateDecision['decision'];

/** Ways to decide: of what kind of gate, what it does, and an example of the words that it needs. */
export const DECISIONS: Readonly<Record<Decision, { kind: GateKind; does: string; words?: string; example?: string }>> =
  {
    approve: { kind: 'approval', does: 'approve what a run made, or its use of a tool' },
    reject: { kind: 'approval', does: 'reject what a run made; one who rejects is enough' },
    return: { kind: 'approval', does: 'send back what a run made', words: 'what is to be better', example: 'Shorter.' },
    answer: {
      kind: 'question',
      does: 'answer a question of an agent',
      words: 'the answer',
      example: 'For new members.',
    },
    continue: { kind: 'limit', does: 'let a run go on that reached a limit, with as much again' },
    stop: { kind: 'limit', does: 'stop a run that reached a limit; what it made stays to be seen' },
  };

/** Something that is asked of people, as far as it is printed. */
export const GateSchema = z.looseObject({
  id: z.string(),
  kind: z.string(),
  task: z.string().nullable(),
  state: z.string(),
  ask: z.string(),
  shown: z.record(z.string(), z.unknown()),
  rules: z.looseObject({ roles: z.array(z.string()), count: z.number() }),
  revision: z.number(),
  expires_at: z.string(),
  reminded_at: z.string().nullish(),
  decisions: z.array(z.looseObject({ by: z.string(), decision: z.string(), comment: z.string().nullable() })),
  may_decide: z.boolean().optional(),
});
export type Gate = z.infer<typeof GateSchema>;

/** What is done once an output is approved. */
const ActionSchema = z.looseObject({ action: z.literal('assign_role'), role: z.string(), user_id: z.string() });

/** What people decided of a run, and why. */
export function decidedGates(gates: readonly Gate[]): string {
  const decided = gates.filter(({ state }) => state !== 'open');
  const lines = decided.flatMap(({ id, state, decisions }) => [
    ...decisions.map((one) => `${id}: ${madeBy(one)}`),
    ...(decisions.length === 0 ? [`${id}: ${state}`] : []),
  ]);
  return lines.length === 0 ? '' : plain(`${lines.join('\n')}\n`);
}

const madeBy = ({ by, decision, comment }: Gate['decisions'][number]): string =>
  oneLine(`${decision} by ${by}${comment === null ? '' : `: ${comment}`}`);

/**
 * What a run asks of people: what each gate shows, who decides, and with which commands.
 * @param as who acts, where a gateway key says so
 */
export function openGates(run: string, gates: readonly Gate[], as?: string): string {
  const open = gates.filter(({ state }) => state === 'open');
  return open.map((gate) => plain(`${linesOf({ run, as }, gate, open).join('\n')}\n`)).join('\n');
}

/** Which run, and who acts. */
interface Asker {
  run: string;
  as: string | undefined;
}

function linesOf(asker: Asker, gate: Gate, open: readonly Gate[]): string[] {
  const { id, kind, task, ask, expires_at: expires, reminded_at: reminded, decisions, may_decide: may } = gate;
  return [
    `asked: ${oneLine(ask)}`,
    `${kind} ${id}${task === null ? '' : ` of task ${task}`}; ${whoDecides(gate)} until ${expires}`,
    ...(reminded ? [`reminded of it at ${reminded}`] : []),
    ...shownOf(gate).map((line) => (line === '' ? '' : `    ${line}`)),
    ...decisions.map(madeBy),
    may === false ? `Whoever may decide it does so with these (${BY_GATEWAY}):` : 'Decide it with:',
    ...commandsFor(may === false ? { ...asker, as: undefined } : asker, gate, open).map((command) => `  ${command}`),
  ];
}

/** A gateway key, as the administrator's, is no member. */
export const BY_GATEWAY = "a gateway key, as the administrator's is, needs --as MEMBER";

const oneLine = (text: string): string => text.replace(/\s*\n\s*/g, ' ');

function whoDecides({ kind, rules: { roles, count } }: Gate): string {
  const who = [...(kind === 'question' ? ['whoever started the run'] : []), ...roles].join(' or ');
  return count === 1 ? who : `${counted(count, 'approval')} by ${who}`;
}

/** What people decide on, and what is done then; a question says all by itself. */
function shownOf({ kind, shown }: Gate): string[] {
  if (kind === 'question') return [];
  const { output = shown, action } = shown;
  const lines = crewMarkdown({ result: output as Record<string, unknown> }).split('\n');
  const done = ActionSchema.safeParse(action).data;
  return done ? [oneLine(`Once approved, ${done.user_id} gets the role ${done.role}.`), '', ...lines] : lines;
}

function commandsFor({ run, as }: Asker, { id, kind, revision }: Gate, open: readonly Gate[]): string[] {
  const which = open.filter((one) => one.kind === kind).length > 1 ? ` --gate ${quoted(id)}` : '';
  const seen = (revision > 1 ? ` --revision ${revision}` : '') + (as === undefined ? '' : ` --as ${quoted(as)}`);
  return Object.entries(DECISIONS)
    .filter(([, decision]) => decision.kind === kind)
    .map(([name, { words }]) => `npx dagi crew ${name} ${run}${which}${seen}${words ? ' --comment "…"' : ''}`);
}
