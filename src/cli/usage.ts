import { InvalidArgumentError, Option, type Command } from 'commander';
import { z } from 'zod';
import { bar } from './bar.js';
import { DagiClient } from './client.js';
import { count } from './count.js';
import { findInstance } from './instance.js';
import { resolveEnv } from './options.js';
import { table } from './table.js';
import { understood } from './understood.js';

const DAY_MS = 86_400_000;
const GROUPS = ['day', 'provider', 'key', 'dao'] as const;
const NUMBERS = ['requests', 'prompt', 'completion', 'cost USD'];

const figures = {
  requests: z.number(),
  prompt_tokens: z.number(),
  completion_tokens: z.number(),
  total_tokens: z.number(),
  cost_usd: z.number().nullable(),
};
/** Of these a row has the one that the report is by. */
const name = z.string().optional();
const ReportSchema = z.looseObject({
  dao_id: z.string().nullable(),
  from: z.string(),
  to: z.string(),
  by: z.enum(GROUPS),
  totals: z.looseObject(figures),
  rows: z.array(z.looseObject({ ...figures, day: name, provider: name, key: name, dao: name })),
});
type Report = z.infer<typeof ReportSchema>;

export interface UsageOptions {
  dao?: string;
  /** First day, as an ISO date. */
  since: string;
  by?: string;
}

/** Adds `dagi usage`. */
export function addUsageCommand(program: Command): void {
  program
    .command('usage')
    .description('requests, tokens and cost of the last days, as a table with bars')
    .option('--dao <id>', 'of this DAO (default: the DAO of the key, or all of them for the administrator)')
    .addOption(
      new Option('--since <days>', 'how far back: 30d, or the first day as 2026-11-01')
        .argParser(parseSince)
        .default(parseSince('30d'), '30d'),
    )
    .addOption(new Option('--by <what>', 'a row for each (default: day for one DAO, dao for all)').choices([...GROUPS]))
    .option('--home <dir>', 'state folder of the instance (DAGI_HOME)')
    .addHelpText(
      'after',
      '\nExamples:\n  $ npx dagi usage --dao greenfood-dao --since 7d\n  $ npx dagi usage --by provider',
    )
    .action(async ({ home, ...options }: UsageOptions & { home?: string }) => {
      const client = new DagiClient(await findInstance(resolveEnv(home === undefined ? {} : { home })));
      process.stdout.write(await usage(client, options));
    });
}

/** `dagi usage`: a row for each day, provider, key or DAO, with a bar for its tokens. */
export async function usage(client: DagiClient, options: UsageOptions): Promise<string> {
  const query = new URLSearchParams({ from: options.since });
  if (options.dao !== undefined) query.set('dao_id', options.dao);
  if (options.by !== undefined) query.set('by', options.by);
  const answer = understood(ReportSchema, await client.json('GET', `/usage?${query.toString()}`));
  return printed(answer);
}

/** Parses how far back for commander: `30d` are today and the 29 days before. At UTC, like the days of the report. */
export function parseSince(text: string): string {
  const days = Number(/^(\d{1,4})d$/.exec(text)?.[1] ?? 0);
  if (days > 0) return new Date(Date.now() - (days - 1) * DAY_MS).toISOString().slice(0, 10);
  const date = z.iso.date().safeParse(text);
  if (!date.success) throw new InvalidArgumentError('Say how many days, as 30d, or the first day, as 2026-11-01.');
  return date.data;
}

function printed({ dao_id: daoId, from, to, by, rows, totals }: Report): string {
  const title = `${daoId ?? 'all DAOs'}, ${from} to ${to}\n`;
  if (rows.length === 0) return `${title}nothing was used\n`;
  const most = Math.max(...rows.map((row) => row.total_tokens));
  const [head = [], ...lines] = alignNumbers([
    [by, ...NUMBERS, 'tokens'],
    ...rows.map((row) => [row[by] ?? '', ...numbers(row), bar(row.total_tokens, most)]),
    ['total', ...numbers(totals), ''],
  ]);
  return title + table(head, lines);
}

/** Numbers stand to the right of their column. */
function alignNumbers(lines: readonly string[][]): string[][] {
  const widthOf = (column: number): number => Math.max(...lines.map((line) => line[column]?.length ?? 0));
  const widths = NUMBERS.map((_, place) => widthOf(place + 1));
  return lines.map((line) => line.map((cell, column) => cell.padStart(widths[column - 1] ?? 0)));
}

const numbers = ({ requests, prompt_tokens, completion_tokens, cost_usd }: Report['totals']): string[] => [
  count(requests),
  count(prompt_tokens),
  count(completion_tokens),
  cost_usd === null ? '–' : cost_usd.toFixed(4),
];
