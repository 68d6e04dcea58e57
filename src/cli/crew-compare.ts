import { z } from 'zod';
import type { DagiClient } from './client.js';
import { count } from './count.js';
import { shortTime } from './duration.js';
import { ask, part, query, type Told } from './people.js';
import { table } from './table.js';
import { understood } from './understood.js';

/** Most changed parts of an output that are named in a line. */
const MOST_NAMED = 3;

const pair = z.tuple([z.number(), z.number()]);
const ComparisonSchema = z.looseObject({
  tasks: z.array(
    z.looseObject({
      task: z.string(),
      outcome: z.string(),
      states: z.tuple([z.string().nullable(), z.string().nullable()]),
      changed: z.array(z.string()),
      tokens: pair,
      ms: pair,
    }),
  ),
});

/** `dagi crew compare`: two runs task by task: what came of each, what of it differs, and what it took. */
export async function compareRuns(
  client: DagiClient,
  first: string,
  second: string,
  { as }: { as?: string } = {},
): Promise<Told> {
  const path = `/crews/runs/${part(first)}/compare${query({ with: second, user_id: as })}`;
  const answer = await ask(client, 'GET', path);
  const rows = understood(ComparisonSchema, answer).tasks.map(({ task, outcome, states, changed, tokens, ms }) => [
    task,
    outcome.replaceAll('_', ' '),
    both(states.map((state) => state ?? '-')),
    both(tokens.map(count)),
    both(ms.map(shortTime)),
    named(changed),
  ]);
  return { answer, text: table(['task', 'output', 'state', 'tokens', 'work', 'what differs'], rows) };
}

const both = ([first = '', second = '']: readonly string[]): string =>
  first === second ? first : `${first} / ${second}`;

function named(paths: readonly string[]): string {
  const more = paths.length - MOST_NAMED;
  const names = paths.slice(0, MOST_NAMED).map((path) => path || 'all of it');
  return names.join(', ') + (more > 0 ? ` and ${more} more` : '');
}
