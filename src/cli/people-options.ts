import { InvalidArgumentError, type Command } from 'commander';
import { DagiClient } from './client.js';
import { findInstance } from './instance.js';
import { resolveEnv } from './options.js';
import type { Told } from './people.js';
import { plain } from './plain-text.js';

/** What every command about people, roles and keys can be told. */
export interface Common {
  json?: boolean;
  home?: string;
}

const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };
const MOST = 100_000;

export const DAO_OPTION = ['--dao <id>', 'in this DAO (default: that of the key, or DAGI_DEFAULT_DAO)'] as const;
export const AS_OPTION = ['--as <user>', 'who acts, where a gateway key says so'] as const;
export const VERSION_OPTION = ['--if-version <n>', 'only if it still is of this version'] as const;
export const LIMIT_OPTION = ['--limit <n>', 'most entries (default: 1000)', parseCount] as const;

/** Adds what every command has, and examples below its help. */
export function withCommon(command: Command, ...examples: string[]): Command {
  const lines = examples.map((example) => `\n  $ npx dagi ${example}`).join('');
  return command
    .option('--json', 'print the answer as JSON')
    .option('--home <dir>', 'state folder of the instance (DAGI_HOME)')
    .addHelpText('after', `\nExample${examples.length > 1 ? 's' : ''}:${lines}`);
}

/** The same, for what somebody does in a DAO. */
export const withActing = (command: Command, ...examples: string[]): Command =>
  withCommon(command.option(...DAO_OPTION).option(...AS_OPTION), ...examples);

/** A client of the instance that is meant. */
export async function clientOf({ home }: Common): Promise<DagiClient> {
  return new DagiClient(await findInstance(resolveEnv(home === undefined ? {} : { home })));
}

/** Runs a command against the instance that is meant, and prints what it tells. */
export async function run(options: Common, work: (client: DagiClient) => Promise<Told>): Promise<void> {
  process.stdout.write(shown(await work(await clientOf(options)), options));
}

/** What a command prints: text for people, or JSON. */
export const shown = ({ answer, text }: Told, { json = false }: Common): string =>
  json ? plain(`${JSON.stringify(answer, undefined, 2)}\n`) : text;

/** Parses names that commas separate, for commander. */
export function parseNames(text: string): string[] {
  const names = text.split(',').flatMap((name) => name.trim() || []);
  if (names.length === 0) throw new InvalidArgumentError('Name at least one; commas separate them.');
  return names;
}

/** The same where none may be meant: an empty text. */
export const parseSomeNames = (text: string): string[] => (text.trim() === '' ? [] : parseNames(text));

/** Parses a number of things for commander. */
export function parseCount(text: string): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= 1 && number <= MOST) return number;
  throw new InvalidArgumentError(`It is a number from 1 to ${MOST}.`);
}

/** Parses for how long, for commander: `30m`, `24h`, `7d` or 0, in milliseconds. */
export function parseSpan(text: string): number {
  if (text === '0') return 0;
  const [, number = '', unit = ''] = /^(\d{1,5})([mhd])$/.exec(text) ?? [];
  const factor = UNITS[unit];
  if (factor === undefined) throw new InvalidArgumentError('Say for how long: 30m, 24h or 7d.');
  return Number(number) * factor;
}
