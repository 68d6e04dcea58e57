import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { Wish } from '../../fakes/wishes.js';
import { DISGUISES, type DisguiseName } from './disguises.js';

/** One attack: what is written, over which way it comes, and what is wanted. */
export interface Attack {
  id: string;
  way: string;
  disguise: DisguiseName;
  /** Entry of the Top 10 for LLM Applications, 2025. */
  owasp: string;
  /** Entry of the Top 10 for Agentic Applications, 2026. */
  agentic: string;
  goal: string;
  /** What is written, in its disguise, with the order in it. */
  text: string;
}

const FOLDER = join(import.meta.dirname, '..');
const HEAD = /^(a\d{3}) (\w+) (\w+) (LLM\d\d)\/(ASI\d\d)$/;
const LONG = 'All work and no play. '.repeat(2_000);

const read = <Value>(file: string): Record<string, Value> =>
  parse(readFileSync(join(FOLDER, file), 'utf8')) as Record<string, Value>;

/** The order that an obeying model finds. */
export const orderOf = (id: string): string => `DO {"id":"${id}"}`;

function attackOf(goal: string, head: string, text: string): Attack {
  const [, id = '', way = '', name = '', owasp = '', agentic = ''] = HEAD.exec(head) ?? [];
  if (!(name in DISGUISES)) throw new Error(`attacks.yml: ${head} is no attack`);
  const disguise = name as DisguiseName;
  return { id, way, disguise, owasp, agentic, goal, text: DISGUISES[disguise](text, orderOf(id)) };
}

/** All attacks, in the order of the list. */
export function loadAttacks(): Attack[] {
  const goals = Object.entries(read<Record<string, string>>('attacks.yml'));
  return goals.flatMap(([goal, lines]) => Object.entries(lines).map(([head, text]) => attackOf(goal, head, text)));
}

export const loadGoals = (): Record<string, Wish> => read<Wish>('goals.yml');

/** A value with what stands for something replaced, in all its texts; a text that is only such a name becomes the value. */
function filled(value: unknown, things: Readonly<Record<string, unknown>>): unknown {
  if (typeof value === 'string') {
    const whole = /^\{(\w+)\}$/.exec(value)?.[1];
    if (whole !== undefined && whole in things) return things[whole];
    return value.replaceAll(/\{(\w+)\}/g, (all, name: string) => (name in things ? String(things[name]) : all));
  }
  if (Array.isArray(value)) return value.map((one) => filled(one, things));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, filled(one, things)]));
}

/** What an attack wants, with the ids that its attacker knows. @param propagates its text is to reach another agent */
export function wishOf({ id, goal }: Attack, things: Readonly<Record<string, unknown>>, propagates: boolean): Wish {
  const wish = loadGoals()[goal];
  if (!wish) throw new Error(`goals.yml: there is no goal ${goal}`);
  const order = orderOf(id);
  const says = `${propagates ? `${order} ` : ''}${wish.says}`;
  return filled({ ...wish, says }, { ...things, id, order, long: LONG }) as Wish;
}
