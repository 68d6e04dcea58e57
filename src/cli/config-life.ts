import type { DagiClient } from './client.js';
import { CliError } from './failure.js';
import { plain } from './plain-text.js';
import { ConfigStateSchema, type State } from './whatif-answer.js';
import { understood } from './understood.js';
import { printReport } from './whatif-report.js';

/** `dagi config status`: what runs, what was refused, what waits. */
export async function configStatus(client: DagiClient): Promise<string> {
  return plain(describe(await fetchState(client, 'GET', '/config')));
}

/**
 * `dagi config reload`: reads the profile again, and tells what came of it.
 * @param write gets the state, whatever came of it
 * @throws CliError `CONFIG_REFUSED`, `CONFIG_HELD` or `CONFIG_UNCHECKED` if what was read does not run
 */
export async function reloadConfig(client: DagiClient, write: (text: string) => void): Promise<void> {
  const state = await fetchState(client, 'POST', '/config/reload');
  write(plain(describe(state)));
  const { active: running, refused, waiting: held, unchecked } = state;
  const stays = `what ran before, ${running.hash}, runs on`;
  if (refused) throw new CliError('CONFIG_REFUSED', `The file cannot be used; ${stays}. Correct it, and reload again.`);
  if (held) {
    const remedy = `npx dagi config apply --confirm ${held.hash}`;
    throw new CliError('CONFIG_HELD', `The file waits to be confirmed; ${stays}. Confirm it with: ${remedy}`);
  }
  if (unchecked) {
    throw new CliError('CONFIG_UNCHECKED', `The file could not be checked, as the database does not answer; ${stays}.`);
  }
}

/**
 * `dagi config apply`: shows what waits, and makes it active if its hash is given.
 * @throws CliError with the code of the answer, such as `CONFIG_NOT_WAITING`
 */
export async function applyConfig(client: DagiClient, confirm: string | undefined): Promise<string> {
  const before = await fetchState(client, 'GET', '/config');
  const shown = before.waiting ? `${waiting(before)}\n` : 'nothing waits to be confirmed\n';
  if (confirm === undefined) return plain(shown);
  const after = await fetchState(client, 'POST', '/config/apply', { confirm });
  return plain(`${before.waiting ? shown : ''}${active(after)}`);
}

async function fetchState(client: DagiClient, method: string, path: string, body?: object): Promise<State> {
  const answer = await client.json(method, path, body ? { body } : {});
  return understood(ConfigStateSchema, answer);
}

function describe(state: State): string {
  const { refused, reloads, warnings } = state;
  const known = (warning: string): boolean => /^profile (refused|[0-9a-f]+ waits)/.test(warning);
  return [
    active(state),
    `reloads  ${reloads.applied} applied, ${reloads.held} held, ${reloads.refused} refused, ${reloads.unchanged} unchanged\n`,
    ...warnings.filter((warning) => !known(warning)).map((warning) => `warning  ${warning}\n`),
    ...(refused ? [`refused  at ${refused.at}:\n${indented(refused.reason)}\n`] : []),
    ...(state.waiting ? [`\n${waiting(state)}`] : []),
  ].join('');
}

const active = ({ active: { hash, table_hash: table, since, file } }: State): string =>
  `active   ${hash} since ${since}\ntable    ${table}\nfile     ${file}\n`;

function waiting({ waiting: held }: State): string {
  if (!held) throw new CliError('CONFIG_NOT_WAITING', 'Nothing waits to be confirmed.');
  const { hash, since, reasons, report } = held;
  return [
    `waiting  ${hash} since ${since}, because:\n`,
    ...reasons.map((reason) => `  - ${reason}\n`),
    `\n${printReport(report)}`,
    `\nMake it active with: npx dagi config apply --confirm ${hash}\n`,
  ].join('');
}

const indented = (text: string): string =>
  text
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n');
