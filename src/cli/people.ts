import { z } from 'zod';
import type { DagiClient } from './client.js';
import { CliError } from './failure.js';
import { plain } from './plain-text.js';
import { understood } from './understood.js';

/** What a command has to tell: the answer for programs, and the same for people. */
export interface Told {
  answer: unknown;
  text: string;
}

type Detail = CliError['detail'];

/** Most entries that the server gives at once. */
const PAGE = 200;
/** Most entries of a list, where nobody says how many. */
export const USUAL_LIMIT = 1_000;

/** What to do about a refusal, in words of the command line. */
const REMEDIES: Readonly<Record<string, string>> = {
  DAO_REQUIRED: 'Name it with --dao; "npx dagi dao list" shows what there is.',
  DAO_EXISTS: 'See it with "npx dagi dao show ID", and change it with "npx dagi dao set ID".',
  KEY_NOT_FOUND: 'See which there are with "npx dagi keys list"; what is revoked stays so.',
  ROLE_NOT_FOUND: 'See which there are with "npx dagi role list".',
  MEMBER_NOT_FOUND: 'See who is there with "npx dagi member list".',
  MEMBER_EXISTS: 'See as what with "npx dagi member list --user USER", and change it with "npx dagi member change".',
  LAST_ADMIN: 'Do so with "npx dagi member change MEMBER --roles admin".',
  LAST_ID: 'That is "npx dagi member link MEMBER USER", or "npx dagi member remove MEMBER".',
  ID_TAKEN: 'See whose it is with "npx dagi member list --user USER", and take it off with "npx dagi member unlink".',
  PROPOSAL_NOT_FOUND: 'See which there are with "npx dagi proposal list".',
  NOT_IN_ELECTORATE: 'Who votes on the next one is whoever may when it opens.',
  ELECTORATE_EMPTY: 'See who is there with "npx dagi member list", what roles give with "npx dagi role list".',
  INVITATION_NOT_FOUND: 'Check what you were given; admins see what is open with "npx dagi member invitations".',
  CREW_NOT_FOUND: 'See which there are with "npx dagi crew list".',
  CREW_RUNNING: 'See it with "npx dagi crew runs --state running".',
  CREW_RUNS_OPEN: 'See them with "npx dagi crew runs --state running", and end one with "npx dagi crew cancel RUN".',
  RUN_NOT_FOUND: 'See which there are with "npx dagi crew runs".',
  GATE_NOT_FOUND:
    'See what it asks, and of whom, with "npx dagi crew show RUN"; with the administrator\'s key a member decides, by --as.',
  INVITATION_ENDED: 'Admins make one with "npx dagi member invite", members a code with "npx dagi member link me".',
};

/** The same, where it depends on what the answer tells. */
const DETAILED: Readonly<Record<string, (detail: Detail) => string | undefined>> = {
  VERSION_CHANGED: ({ version }) => versionRemedy(version),
  KEY_REPLACED: ({ successor }) => (typeof successor === 'string' ? `It is ${successor}.` : undefined),
  // That guests stay has no numbers, and no remedy.
  ROLE_IN_USE: ({ invitations }) =>
    invitations === undefined
      ? undefined
      : 'See who has it with "npx dagi member list --role NAME", what promises it with "npx dagi member invitations".',
  ACTION_INVALID: ({ action, reason }) =>
    `It is ${typeof action === 'number' ? `action ${action + 1}` : 'all of them'}: ${String(reason)}.`,
  CREW_INPUTS_INVALID: problemsOf,
  DECISION_INVALID: problemsOf,
  CREW_FAILED: endOf,
  CREW_REJECTED: endOf,
  CREW_STOPPED: endOf,
  GATE_CHANGED: ({ revision }) =>
    `See it with "npx dagi crew show RUN", and decide with --revision ${String(revision)}.`,
  PROPOSAL_STAGE: stageOf,
  VOTING_NOT_OPEN: stageOf,
  VOTING_CLOSED: stageOf,
};

/**
 * Calls, and gives the JSON body of a success.
 * @param version the only version that may be changed
 * @throws CliError with the code and sentence of the answer, and what to do about it
 */
export async function ask(
  client: DagiClient,
  method: string,
  path: string,
  { body, version, headers }: { body?: object; version?: string | undefined; headers?: Record<string, string> } = {},
): Promise<unknown> {
  try {
    return await client.json(method, path, {
      ...(body && { body }),
      ...(headers && { headers }),
      ...(version !== undefined && { headers: { ...headers, 'if-match': `"${version}"` } }),
    });
  } catch (error) {
    throw error instanceof CliError ? withRemedy(error) : error;
  }
}

/** An error with what to do about it, where that is known. */
export function withRemedy(error: CliError): CliError {
  const { code, message, detail } = error;
  const remedy = DETAILED[code]?.(detail) ?? REMEDIES[code];
  return remedy === undefined ? error : new CliError(code, `${message} ${remedy}`, detail, { cause: error });
}

/** What does not fit, each with where. */
function problemsOf({ problems }: Detail): string | undefined {
  if (!Array.isArray(problems)) return undefined;
  return (problems as unknown[]).map((one) => (typeof one === 'string' ? one : JSON.stringify(one))).join('; ');
}

/** In which task of a crew, and why. */
function endOf({ task, reason }: Detail): string | undefined {
  const words = [
    ...(typeof task === 'string' ? [`task ${task}`] : []),
    ...(typeof reason === 'string' ? [reason] : []),
  ];
  return words.length === 0 ? undefined : `It is ${words.join(': ')}`;
}

function stageOf({ stage }: Detail): string {
  return typeof stage === 'string' ? `It is ${stage}.` : 'See its stage with "npx dagi proposal show N".';
}

const versionRemedy = (now: unknown): string =>
  typeof now === 'string'
    ? `It is of version ${now} now: look at it, and if the change is still right, send it with --if-version ${now}.`
    : 'Look at it again.';

/** The DAO that is meant: the one that is named, else that of the key. @throws CliError `DAO_REQUIRED` */
export async function daoOf(client: DagiClient, named: string | undefined): Promise<string> {
  if (named !== undefined) return named;
  const own = await ask(client, 'GET', '/rbac/resolve');
  return understood(z.looseObject({ dao_id: z.string() }), own).dao_id;
}

/** Something of the command line as a part of a path. @throws CliError for what would lead elsewhere */
export function part(text: string): string {
  if (/^\.{0,2}$/.test(text)) throw invalid(`"${text}" names nothing.`);
  return encodeURIComponent(text);
}

/** An argument that cannot be meant. */
export const invalid = (message: string): CliError => new CliError('ARGUMENT_INVALID', message);

/** A query of a path, without what is not given; empty if nothing is. */
export function query(fields: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(fields).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return given.length === 0 ? '' : `?${new URLSearchParams(given).toString()}`;
}

/** Which list to read, and what its entries look like. */
export interface Listing<T> {
  path: string;
  /** Name of the list in the answer. */
  name: string;
  entry: z.ZodType<T>;
  filter?: Readonly<Record<string, string | undefined>>;
  limit?: number | undefined;
}

/** A list, as far as it was read; with the note for people that there is more. */
export interface Listed<T> {
  entries: T[];
  answer: object;
  more: string;
}

/** Reads a list page by page, up to its end or the limit. */
export async function readList<T>(
  client: DagiClient,
  { path, name, entry, filter = {}, limit = USUAL_LIMIT }: Listing<T>,
): Promise<Listed<T>> {
  const PageSchema = z.looseObject({ [name]: z.array(entry), next: z.string().nullish() });
  const entries: T[] = [];
  let after: string | undefined = '';
  while (after !== undefined && entries.length < limit) {
    const wanted = String(Math.min(PAGE, limit - entries.length));
    const page = await ask(client, 'GET', `${path}${query({ ...filter, limit: wanted, after })}`);
    const { [name]: read, next } = understood(PageSchema, page);
    entries.push(...(read as T[]));
    after = (next as string | null | undefined) ?? undefined;
  }
  const more = after === undefined ? '' : `and more: these are the first ${entries.length} (--limit)\n`;
  return { entries, answer: { ok: true, [name]: entries, next: after ?? null }, more };
}

/** A word of a command line that is proposed to people, safe to be copied into a shell. */
export const quoted = (word: string): string => {
  const safe = plain(word);
  return /^[\w.,:/@=-]+$/.test(safe) ? safe : `'${safe.replaceAll("'", String.raw`'\''`)}'`;
};
