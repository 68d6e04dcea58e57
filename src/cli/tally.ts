import { z } from 'zod';
import { bar, BAR_WIDTH } from './bar.js';
import { counted } from './count.js';
import { table } from './table.js';

const CHOICES = ['yes', 'no', 'abstain'] as const;

/** How a vote stands, or ended. While ballots are sealed, what they say is not told. */
export const TallySchema = z.looseObject({
  total: z.number(),
  participated: z.number(),
  voters: z.number(),
  ballots: z.number(),
  yes: z.number().optional(),
  no: z.number().optional(),
  abstain: z.number().optional(),
  quorum_met: z.boolean(),
  threshold_met: z.boolean().optional(),
});
export type Tally = z.infer<typeof TallySchema>;

/** A tally as bars: each is as long as its share of the whole weight. */
export function tallyChart(tally: Tally): string {
  const { total, participated } = tally;
  const row = (name: string, weight: number, said = number(weight)): string[] => [
    ...[name, bar(weight, total).padEnd(BAR_WIDTH, '·')],
    ...[said, `${total > 0 ? ((100 * weight) / total).toFixed(1) : '0.0'} %`],
  ];
  const choices = CHOICES.flatMap((choice) => {
    const weight = tally[choice];
    return weight === undefined ? [] : [row(choice, weight)];
  });
  const all = row('took part', participated, `${number(participated)} of ${number(total)}`);
  return `${table(all, choices)}${verdictOf(tally)}\n`;
}

const verdictOf = ({ ballots, quorum_met: isQuorum, threshold_met: isExceeded }: Tally): string =>
  [
    counted(ballots, 'ballot'),
    isQuorum ? 'enough take part' : 'too few take part',
    isExceeded === undefined ? 'sealed: what they say is told with the close' : forIt(isExceeded),
  ].join('; ');

const forIt = (isExceeded: boolean): string => (isExceeded ? 'enough are for it' : 'not enough are for it');

const number = (weight: number): string => weight.toLocaleString('en-US', { maximumFractionDigits: 6 });
