import { crewVersion, crewWarnings, readCrewFile, type Problem } from '../../config/crews.js';
import { loadDefaultRoles } from '../../config/seed.js';
import type { ApprovalDefinition, CrewDefinition } from '../contracts/crew.js';
import { AppError } from '../errors/app-error.js';
import { counted } from './count.js';
import { taskTree } from './crew-tree.js';
import { plain } from './plain-text.js';
import { table } from './table.js';

/** What came of the check of one file. */
export interface CheckedCrew {
  ok: boolean;
  text: string;
}

/** `dagi crew check`: what a crew's file says, or all that is wrong with it. Nothing has to run. */
export function checkCrew(file: string, asJson: boolean): CheckedCrew {
  try {
    const crew = readCrewFile(file);
    const notes = notesOn(crew);
    const warnings = crewWarnings(crew);
    const json = { ok: true, file, crew: crew.id, version: crewVersion(crew), warnings, notes, definition: crew };
    return { ok: true, text: asJson ? line(json) : describe(file, crew, { warnings, notes }) };
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'CONFIG_INVALID') throw error;
    const errors = error.message.split('\n');
    return { ok: false, text: asJson ? line({ ok: false, file, errors }) : `${plain(errors.join('\n'))}\n` };
  }
}

/** One line for each file, so that several of them can be told apart. */
const line = (told: object): string => `${plain(JSON.stringify(told))}\n`;

const gatesOf = ({ tasks }: CrewDefinition): ApprovalDefinition[] =>
  Object.values(tasks)
    .flatMap(({ tool_approval: writes, approval }) => [writes, approval])
    .filter((gate) => gate !== undefined);

/** Roles that a crew names, each once. */
function rolesIn(crew: CrewDefinition): Set<string> {
  const given = Object.values(crew.tasks).flatMap(({ checks, action }) => [
    ...checks.flatMap((check) => (check.check === 'role' ? check.among : [])),
    ...(action?.assignable ?? []),
  ]);
  return new Set([...gatesOf(crew).flatMap(({ roles }) => roles), ...given, ...crew.limit_roles]);
}

/** What is no mistake, and may be one all the same. */
function notesOn(crew: CrewDefinition): string[] {
  const { agents, tasks, manager } = crew;
  const working = new Set([...Object.values(tasks).map(({ agent }) => agent), manager]);
  const idle = Object.keys(agents).filter((agent) => !working.has(agent));
  const roles = Object.keys(loadDefaultRoles());
  const strange = [...rolesIn(crew)].filter((role) => !roles.includes(role));
  return [
    ...idle.map((agent) => `no task is done by ${agent}`),
    ...strange.map((role) => `${role} is none of the roles that a DAO starts with: ${roles.join(', ')}`),
  ];
}

/** What is told beside what the crew says. */
interface Remarks {
  warnings: readonly Problem[];
  notes: readonly string[];
}

function describe(file: string, crew: CrewDefinition, { warnings, notes }: Remarks): string {
  const counts = [
    counted(Object.keys(crew.agents).length, 'agent'),
    counted(Object.keys(crew.tasks).length, 'task'),
    counted(gatesOf(crew).length, 'gate'),
  ];
  const text = [
    `${file}\n\n`,
    `${crew.id}: ${crew.name} (${processOf(crew)})\n`,
    `inputs  ${inputsOf(crew)}\nresult  ${Object.keys(crew.result).join(', ')}\nbudget  ${budgetOf(crew)}\n\n`,
    agentsTable(crew),
    `\ntasks\n${taskTree(crew)}\n`,
    ...warnings.map(({ path, message }) => `warning: ${path}: ${message}\n`),
    ...notes.map((note) => `note: ${note}\n`),
    `OK: ${counts.join(', ')}, version ${crewVersion(crew)}\n`,
  ];
  return plain(text.join(''));
}

function processOf({ process, manager, max_handoffs: handoffs }: CrewDefinition): string {
  return manager === undefined ? process : `${process}, led by ${manager}, who decides at most ${handoffs} times`;
}

/** Inputs by name; those that need not be there with a question mark. */
function inputsOf({ inputs, text_input: text, subject }: CrewDefinition): string {
  const required = inputs.required as readonly string[];
  const names = Object.keys(inputs.properties as object).map((name) => {
    const use = name === text ? ' (the text)' : name === subject ? ' (whom it is about)' : '';
    return `${name}${required.includes(name) ? '' : '?'}${use}`;
  });
  return names.join(', ') || '-';
}

function budgetOf({ budget: { tokens, cost_usd: cost, time_s: time }, limit_roles: roles }: CrewDefinition): string {
  const parts = [
    ...(tokens === undefined ? [] : [counted(tokens, 'token')]),
    ...(cost === undefined ? [] : [`$${cost}`]),
    ...(time === undefined ? [] : [`${counted(time, 'second')} of work`]),
  ];
  return parts.length > 0 ? `${parts.join(', ')}; beyond it ${roles.join(' or ')} decides` : '-';
}

function agentsTable({ agents }: CrewDefinition): string {
  const rows = Object.entries(agents).map(([id, { provider, tools, limits }]) => [
    id,
    provider ?? 'by the rules',
    tools.join(', ') || '-',
    String(limits.turns),
    String(limits.tool_calls),
    String(limits.max_tokens),
  ]);
  return table(['agent', 'provider', 'tools', 'turns', 'tool calls', 'tokens a turn'], rows);
}
