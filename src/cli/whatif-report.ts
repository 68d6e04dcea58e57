import { count, counted } from './count.js';
import { dollars, shortTime } from './duration.js';
import { plain } from './plain-text.js';
import { table } from './table.js';
import type { Report } from './whatif-answer.js';

type Group = Report['groups'][number];

const BAR_WIDTH = 20;
const ARROW = ' → ';
const HEAD = ['', 'from', 'to', 'rule', 'requests', 'share'];
const FIGURES = ['median', 'cost of one'];

/**
 * A report for people: totals, a row for each way that requests would leave, and examples to look at.
 * @param canTry whether examples can be tried under what the report is about
 */
export function printReport(report: Report, { canTry = true } = {}): string {
  const { groups } = report;
  if (report.requests === 0) return 'No recorded request was there to be decided again.\n';
  if (groups.length === 0) return totals(report);
  const hasFigures = groups.some(({ expected: { from, to } }) => from ?? to);
  const rows = groups.map((group, index) => [
    String(index + 1),
    ...rowOf(group, report.requests),
    ...(hasFigures ? figuresOf(group) : []),
  ]);
  return `${totals(report)}\n${table([...HEAD, ...(hasFigures ? FIGURES : [])], rows)}\n${examples(groups, canTry)}`;
}

function totals(report: Report): string {
  const { requests, unchanged, changed, newly_allowed, newly_denied, undecidable, took_ms: ms } = report;
  const lines: [string, number, string?][] = [
    ['unchanged', unchanged, share(unchanged, requests)],
    ['changed', changed, share(changed, requests)],
    ['  newly allowed', newly_allowed],
    ['  newly denied', newly_denied],
    ['not decidable', undecidable, undecidable > 0 ? 'their prompts were erased, and rules look at prompts' : ''],
  ];
  const width = count(requests).length;
  const text = lines.map(
    ([name, number, remark = '']) => `  ${name.padEnd(16)}${count(number).padStart(width)}  ${remark}`,
  );
  const head = `${counted(requests, 'recorded request')}, decided again in ${shortTime(ms)}`;
  return `${[head, ...text].map((line) => line.trimEnd()).join('\n')}\n`;
}

const rowOf = ({ from, to, rule, requests }: Group, all: number): string[] => [
  from,
  to,
  change(rule.from ?? '–', rule.to ?? '–'),
  count(requests),
  `${bar(requests, all)} ${share(requests, all)}`,
];

/** What an answer takes and costs, as recorded so far of the first provider of each way. */
const figuresOf = ({ expected }: Group): string[] => [
  change(...both(expected, ({ p50_ms: ms }) => shortTime(ms))),
  change(...both(expected, ({ cost_usd: usd }) => dollars(usd))),
];

/** A figure of both sides; a dash where nothing is recorded, or nothing has a price. */
function both(
  { from, to }: Group['expected'],
  figure: (one: { p50_ms: number; cost_usd: number | null }) => string,
): [string, string] {
  return [from ? figure(from) : '–', to ? figure(to) : '–'];
}

const change = (from: string, to: string): string => (from === to ? from : from + ARROW + to);

function examples(groups: readonly Group[], canTry: boolean): string {
  const lines = groups.map(({ examples: ids }, index) => `${String(index + 1).padStart(3)}  ${ids.join(' ')}`);
  const hint = canTry ? ' (npx dagi whatif --run N tries some of them)' : '';
  return plain(`Examples, newest first${hint}:\n${lines.join('\n')}\n`);
}

const share = (part: number, all: number): string => `${((part / all) * 100).toFixed(1)} %`;
const bar = (part: number, all: number): string => '█'.repeat(Math.max(1, Math.round((part / all) * BAR_WIDTH)));
