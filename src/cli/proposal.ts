import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { crewMarkdown } from '../domain/crew/result-markdown.js';
import type { DagiClient } from './client.js';
import { CliError } from './failure.js';
import { ask, invalid, part, query, readList, type Told } from './people.js';
import { plain } from './plain-text.js';
import { table } from './table.js';
import { TallySchema, tallyChart } from './tally.js';
import { understood } from './understood.js';

const time = z.string().nullable();

/** A proposal in a list, as far as it is printed. */
const SummarySchema = z.looseObject({
  n: z.number(),
  title: z.string(),
  author: z.string(),
  stage: z.string(),
  closes_at: time,
  execute_at: time,
  ended_at: time,
  result: TallySchema.nullable(),
  version: z.string(),
});
type Summary = z.infer<typeof SummarySchema>;

const ProposalSchema = SummarySchema.extend({
  text: z.string(),
  actions: z.array(z.looseObject({ type: z.string() })),
  rules: z.looseObject({}).nullable(),
  failure: z.looseObject({ action: z.number().optional(), reason: z.string() }).nullable(),
  veto_reason: z.string().nullable(),
  review: z
    .looseObject({
      run_id: z.string(),
      at: z.string(),
      current: z.boolean(),
      result: z.record(z.string(), z.unknown()),
    })
    .nullable(),
});
type Proposal = z.infer<typeof ProposalSchema>;

const BallotSchema = z.looseObject({
  choice: z.string(),
  revision: z.number(),
  commitment: z.string().nullable(),
});

/** In which DAO (absent: that of the key), and who acts, where a gateway key says so. */
export interface Acting {
  dao?: string;
  as?: string;
}

export interface ListProposalsOptions extends Acting {
  stage?: string;
  limit?: number;
}

export interface CreateProposalOptions extends Acting {
  title: string;
  text?: string;
  /** Holds the text. */
  file?: string;
  /** Each as JSON. */
  action?: string[];
  open?: boolean;
  /** A run of the crew `proposal_review` that read the text. */
  review?: string;
}

/** `dagi proposal list`: proposals of a DAO, the newest ones first. */
export async function listProposals(client: DagiClient, options: ListProposalsOptions = {}): Promise<Told> {
  const { stage, limit, ...acting } = options;
  const filter = { ...actingFields(acting), stage };
  const listing = { path: '/proposals', name: 'proposals', entry: SummarySchema, filter, limit };
  const { entries, answer, more } = await readList(client, listing);
  const rows = entries.map((one) => [String(one.n), one.stage, nextOf(one), one.title]);
  return { answer, text: table(['n', 'stage', 'when', 'title'], rows) + more };
}

/** `dagi proposal show`: what one says, does and came to. */
export async function showProposal(client: DagiClient, n: string, acting: Acting = {}): Promise<Told> {
  return told(await ask(client, 'GET', pathOf(n, '', acting)));
}

/**
 * `dagi proposal create`: drafts one, and opens it at once if that is said.
 * @throws CliError `ARGUMENT_INVALID` and those of the answer
 */
export async function createProposal(client: DagiClient, options: CreateProposalOptions): Promise<Told> {
  const { title, action = [], open = false, review, ...rest } = options;
  const draft = { title, text: textOf(rest), actions: action.map(actionOf), open };
  const body = { ...draft, ...(review !== undefined && { review }) };
  return told(await ask(client, 'POST', `/proposals${query(actingFields(rest))}`, { body }));
}

/** `dagi proposal review`: lets a draft carry what a run of the crew `proposal_review` came to. */
export async function putReview(client: DagiClient, n: string, review: string, acting: Acting = {}): Promise<Told> {
  return told(await ask(client, 'PATCH', pathOf(n, '', acting), { body: { review } }));
}

/** `dagi proposal open` and `withdraw`: what its author does with it. */
export async function moveProposal(
  client: DagiClient,
  n: string,
  how: 'open' | 'withdraw',
  acting: Acting = {},
): Promise<Told> {
  return told(await ask(client, 'POST', pathOf(n, `/${how}`, acting)));
}

/** `dagi proposal veto`: stops what has passed, before it is executed. */
export async function vetoProposal(
  client: DagiClient,
  n: string,
  { reason, ...acting }: Acting & { reason: string },
): Promise<Told> {
  return told(await ask(client, 'POST', pathOf(n, '/veto', acting), { body: { reason } }));
}

/** `dagi proposal vote`: casts a ballot, in place of an earlier one. */
export async function vote(
  client: DagiClient,
  n: string,
  choice: string,
  { ballot, ...acting }: Acting & { ballot?: string } = {},
): Promise<Told> {
  const body = { choice, ...(ballot !== undefined && { ballot_id: ballot }) };
  const answer = await ask(client, 'PUT', pathOf(n, '/vote', acting), { body });
  const { choice: counted, revision, commitment } = understood(BallotSchema, answer);
  const kept = commitment === null ? '' : `\nsealed as ${commitment}`;
  return { answer, text: plain(`proposal ${n}: ${counted} is cast, ballot ${revision} of yours${kept}\n`) };
}

/** `dagi proposal tally`: the result, or how it stands. */
export async function showTally(client: DagiClient, n: string, acting: Acting = {}): Promise<Told> {
  const answer = await ask(client, 'GET', pathOf(n, '/tally', acting));
  const { tally } = understood(z.looseObject({ tally: TallySchema.nullable() }), answer);
  const text = tally ? tallyChart(tally) : `There is nothing to count before it is open: npx dagi proposal open ${n}\n`;
  return { answer, text: plain(text) };
}

const actingFields = ({ dao, as }: Acting): Record<string, string | undefined> => ({ dao_id: dao, user_id: as });

const pathOf = (n: string, what: string, acting: Acting): string =>
  `/proposals/${part(n)}${what}${query(actingFields(acting))}`;

/** @throws CliError `ARGUMENT_INVALID` unless there is just one text */
function textOf({ text, file }: { text?: string; file?: string }): string {
  if ((text === undefined) === (file === undefined)) throw invalid('Say its text with --text, or name it with --file.');
  if (file === undefined) return text ?? '';
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new CliError('ARGUMENT_INVALID', `${file} cannot be read.`, {}, { cause: error });
  }
}

function actionOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw invalid(`${text}: an action is JSON such as {"type":"set_fact","name":"motto","value":"Eat."}.`);
  }
}

/** When something becomes of it, or has. */
function nextOf({ stage, closes_at: closes, execute_at: executes, ended_at: ended }: Summary): string {
  if (ended !== null) return `ended ${ended}`;
  if (stage === 'passed') return `executes ${executes ?? ''} unless vetoed`;
  return closes === null ? '' : `closes ${closes}`;
}

/** A fault of an action, with the place that people count from one. */
const failureOf = ({ action, reason }: NonNullable<Proposal['failure']>): string =>
  `failed: ${action === undefined ? 'the actions' : `action ${action + 1}`}, ${reason}`;

/** What voters want to know first of a review; whatever else it says stands below. */
const FIRST_OF_REVIEW = ['recommendation', 'reasons', 'confidence'];

const reviewLines = ({ run_id: run, at, current, result }: NonNullable<Proposal['review']>): string[] => [
  `review of ${at}, run ${run}${current ? '' : ': of an earlier text'}`,
  ...['', crewMarkdown({ result: withFirst(result, FIRST_OF_REVIEW) })],
];

const withFirst = (result: Record<string, unknown>, names: readonly string[]): Record<string, unknown> => ({
  ...Object.fromEntries(names.filter((name) => Object.hasOwn(result, name)).map((name) => [name, result[name]])),
  ...Object.fromEntries(Object.entries(result).filter(([name]) => !names.includes(name))),
});

function told(answer: unknown): Told {
  const proposal = understood(ProposalSchema, answer);
  const {
    n,
    title,
    stage,
    author,
    version,
    text,
    actions,
    rules,
    failure,
    veto_reason: veto,
    result,
    review,
  } = proposal;
  const when = nextOf(proposal);
  const lines = [
    `proposal ${n}: ${title}`,
    `${stage}${when && `, ${when}`}; by ${author}, version ${version}`,
    ...(failure ? [failureOf(failure)] : []),
    ...(veto === null ? [] : [`vetoed: ${veto}`]),
    ...(rules ? [`rules: ${entriesOf(rules)}`] : []),
    ...actions.map(({ type, ...rest }, at) => `action ${at + 1}: ${type} ${entriesOf(rest)}`),
    ...['', text],
    ...(review ? ['', ...reviewLines(review)] : []),
  ];
  return { answer, text: plain(`${lines.join('\n')}\n${result ? `\n${tallyChart(result)}` : ''}`) };
}

const entriesOf = (fields: object): string =>
  Object.entries(fields)
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(', ');
