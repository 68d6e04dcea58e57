import type { ApprovalDefinition, CrewDefinition, GatherDefinition, TaskDefinition } from '../contracts/crew.js';
import { counted } from './count.js';

const DAY_S = 86_400;
const HOUR_S = 3_600;

/** Seconds as people say them; a rest is left to seconds. */
function span(seconds: number): string {
  if (seconds % DAY_S === 0) return counted(seconds / DAY_S, 'day');
  return seconds % HOUR_S === 0 ? counted(seconds / HOUR_S, 'hour') : counted(seconds, 'second');
}

function gathers({ as, tool, each, most, optional }: GatherDefinition): string {
  const often = each === undefined ? '' : ` for each of ${each}, at most ${most}`;
  return `${as} by ${tool}${often}${optional ? ', if it can' : ''}`;
}

function gate({ count, roles, expires_after_s: expires, self }: ApprovalDefinition): string {
  const who = `${counted(count, 'approval')} by ${roles.join(' or ')}`;
  return `${who}${self ? ', whoever started the run among them' : ''}, within ${span(expires)}`;
}

/** What people are asked, and what is done when they approve. */
function gatesOf({ tool_approval: writes, approval, action }: TaskDefinition): string[] {
  return [
    ...(writes ? [`writes   after ${gate(writes)}`] : []),
    ...(approval ? [`gate     ${gate(approval)}`] : []),
    ...(action ? [`then     ${action.action} ${action.role}, of ${action.assignable.join(', ')}`] : []),
  ];
}

/** What is to be known of a task, a line each. */
function linesOf(task: TaskDefinition): string[] {
  const { needs, gather, tools } = task;
  return [
    ...(needs.length > 0 ? [`needs    ${needs.join(', ')}`] : []),
    ...gather.map((one) => `gathers  ${gathers(one)}`),
    ...(tools.length > 0
      ? [`tools    ${tools.join(', ')}${task.unapproved_writes ? ', without an approval' : ''}`]
      : []),
    `gives    ${Object.keys(task.output.properties ?? {}).join(', ')}`,
    ...gatesOf(task),
  ];
}

/** The longest way from a task back to one that needs nothing. */
function levelsOf(tasks: CrewDefinition['tasks']): Map<string, number> {
  const levels = new Map<string, number>();
  const levelOf = (id: string): number => {
    const known = levels.get(id);
    if (known !== undefined) return known;
    const level = Math.max(-1, ...(tasks[id]?.needs ?? []).map(levelOf)) + 1;
    levels.set(id, level);
    return level;
  };
  Object.keys(tasks).forEach(levelOf);
  return levels;
}

/** Tasks below the last of what they need, in the order of the file. */
function inTree(tasks: CrewDefinition['tasks'], levels: ReadonlyMap<string, number>): string[] {
  const below = new Map<string | undefined, string[]>();
  for (const [id, { needs }] of Object.entries(tasks)) {
    const last = needs.toSorted((a, b) => (levels.get(a) ?? 0) - (levels.get(b) ?? 0)).at(-1);
    below.set(last, [...(below.get(last) ?? []), id]);
  }
  const from = (id: string | undefined): string[] => (below.get(id) ?? []).flatMap((next) => [next, ...from(next)]);
  return from(undefined);
}

/** The tasks of a crew as a small tree, each with what it needs, reads, may use, gives, and whom it waits for. */
export function taskTree({ tasks }: CrewDefinition): string {
  const levels = levelsOf(tasks);
  return inTree(tasks, levels)
    .flatMap((id) => {
      const task = tasks[id];
      const indent = '  '.repeat((levels.get(id) ?? 0) + 1);
      return task ? [`${indent}${id} (${task.agent})`, ...linesOf(task).map((line) => `${indent}    ${line}`)] : [];
    })
    .map((line) => `${line}\n`)
    .join('');
}
