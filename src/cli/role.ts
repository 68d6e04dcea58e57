import { z } from 'zod';
import type { DagiClient } from './client.js';
import { CliError } from './failure.js';
import { ask, part, query, quoted, readList, type Told } from './people.js';
import { plain } from './plain-text.js';
import { table } from './table.js';
import { ReportSchema } from './whatif-answer.js';
import { understood } from './understood.js';
import { printReport } from './whatif-report.js';

const RoleSchema = z.looseObject({
  name: z.string(),
  entitlements: z.array(z.string()),
  version: z.string(),
  /** Only for those who may see members. */
  holders: z.number().optional(),
});

/** What a refusal of the guard tells, beside its code. */
const HeldSchema = z.looseObject({ reasons: z.array(z.string()), confirm: z.string(), report: ReportSchema });

export interface PutRoleOptions {
  dao?: string;
  /** All that the role gives from then on. */
  gives: string[];
  /** The hash with which the change was held. */
  confirm?: string;
  ifVersion?: string;
  /** Of the command that is proposed. */
  home?: string;
}

/** `dagi role list`: roles of a DAO, what they give, and how many have them. */
export async function listRoles(
  client: DagiClient,
  { dao, limit }: { dao?: string; limit?: number } = {},
): Promise<Told> {
  const listing = { path: '/roles', name: 'roles', entry: RoleSchema, filter: { dao_id: dao }, limit };
  const { entries, answer, more } = await readList(client, listing);
  const rows = entries.map((one) => [one.name, String(one.holders ?? '–'), one.version, one.entitlements.join(', ')]);
  return { answer, text: table(['role', 'members', 'version', 'gives'], rows) + more };
}

/**
 * `dagi role put`: creates a role, or replaces what one gives.
 * @param show gets the report of a change that is held
 * @throws CliError `ROLE_CHANGE_HELD` with the command that confirms it, and those of the answer
 */
export async function putRole(
  client: DagiClient,
  name: string,
  options: PutRoleOptions,
  show: (told: Told) => void,
): Promise<Told> {
  const { dao, gives, confirm, ifVersion } = options;
  const body = { entitlements: gives, ...(confirm !== undefined && { confirm }) };
  const path = `/roles/${part(name)}${query({ dao_id: dao })}`;
  try {
    const answer = await ask(client, 'PUT', path, { body, version: ifVersion });
    const { version, entitlements, holders } = understood(RoleSchema, answer);
    const given = entitlements.join(', ') || 'nothing';
    const held = holders === undefined ? '' : `members with it: ${holders}; `;
    return { answer, text: plain(`${name} gives ${given}; ${held}version ${version}\n`) };
  } catch (error) {
    if (error instanceof CliError && error.code === 'ROLE_CHANGE_HELD') throw held(error, name, options, show);
    throw error;
  }
}

/** `dagi role delete`: deletes a role that nobody has. */
export async function deleteRole(
  client: DagiClient,
  name: string,
  { dao, ifVersion }: { dao?: string; ifVersion?: string } = {},
): Promise<Told> {
  const path = `/roles/${part(name)}${query({ dao_id: dao })}`;
  const answer = await ask(client, 'DELETE', path, { version: ifVersion });
  return { answer, text: plain(`deleted ${name}\n`) };
}

function held(error: CliError, name: string, options: PutRoleOptions, show: (told: Told) => void): CliError {
  const { reasons, confirm, report } = understood(HeldSchema, error.detail);
  const because = reasons.map((reason) => `  - ${reason}\n`).join('');
  show({
    answer: { ok: false, error: error.detail },
    text: plain(`the change of ${name} is held, because:\n${because}\n${printReport(report, { canTry: false })}\n`),
  });
  const remedy = `Nothing was changed. If it is meant: ${commandOf(name, { ...options, confirm })}`;
  return new CliError(error.code, `The change is held. ${remedy}`, error.detail);
}

/** The same again, to be copied. */
function commandOf(name: string, { dao, gives, confirm, ifVersion, home }: PutRoleOptions): string {
  const words = ['npx', 'dagi', 'role', 'put', name, '--gives', gives.join(',')];
  if (dao !== undefined) words.push('--dao', dao);
  if (ifVersion !== undefined) words.push('--if-version', ifVersion);
  if (home !== undefined) words.push('--home', home);
  if (confirm !== undefined) words.push('--confirm', confirm);
  return words.map(quoted).join(' ');
}
