import { crewVersion, readCrewFile } from '../../config/crews.js';
import { loadDefaultRoles } from '../../config/seed.js';
import type { CrewDefinition } from '../contracts/crew.js';
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
    const json = { ok: true, file, crew: crew.id, version: crewVersion(crew), notes, definition: crew };
    return { ok: true, text: asJson ? line(json) : describe(file, crew, notes) };
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'CONFIG_INVALID') throw error;
    const errors = error.message.split('\n');
    return { ok: false, text: asJson ? line({ ok: false, file, errors }) : `${plain(errors.join('\n'))}\n` };
  }
}

/** One line for each file, so that several of them can be told apart. */
const line = (told: object): string => `${plain(JSON.stringify(told))}\n`;

/** What is no mistake, and may be one all the same. */
function notesOn({ agents, tasks, manager }: CrewDefinition): string[] {
  const working = new Set([...Object.values(tasks).map(({ agent }) => agent), manager]);
  const idle = Object.keys(agents).filter((agent) => !working.has(agent));
  const roles = Object.keys(loadDefaultRoles());
  const deciding = new Set(Object.values(tasks).flatMap(({ approval }) => approval?.roles ?? []));
  const strange = [...deciding].filter((role) => !roles.includes(role));
  return [
    ...idle.map((agent) => `no task is done by ${agent}`),
    ...strange.map((role) => `${role} is none of the roles that a DAO starts with: ${roles.join(', ')}`),
  ];
}

function describe(file: string, crew: CrewDefinition, notes: readonly string[]): string {
  const tasks = Object.values(crew.tasks);
  const gates = tasks.filter(({ approval }) => approval).length;
  const counts = [
    counted(Object.keys(crew.agents).length, 'agent'),
    counted(tasks.length, 'task'),
    counted(gates, 'gate'),
  ];
  const text = [
    `${file}\n\n`,
    `${crew.id}: ${crew.name} (${crew.process}${crew.manager === undefined ? '' : `, led by ${crew.manager}`})\n`,
    `inputs  ${inputsOf(crew)}\nresult  ${Object.keys(crew.result).join(', ')}\nbudget  ${budgetOf(crew)}\n\n`,
    agentsTable(crew),
    `\ntasks\n${taskTree(crew)}\n`,
    ...notes.map((note) => `note: ${note}\n`),
    `OK: ${counts.join(', ')}, version ${crewVersion(crew)}\n`,
  ];
  return plain(text.join(''));
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

function budgetOf({ budget: { tokens, cost_usd: cost, time_s: time } }: CrewDefinition): string {
  const parts = [
    ...(tokens === undefined ? [] : [counted(tokens, 'token')]),
    ...(cost === undefined ? [] : [`$${cost}`]),
    ...(time === undefined ? [] : [`${counted(time, 'second')} of work`]),
  ];
  return parts.join(', ') || '-';
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
