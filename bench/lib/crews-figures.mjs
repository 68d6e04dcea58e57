// What the runs of crews took beside the model: overhead by the model's own ledger, tables, and what is aimed at.
import { median, ms, quantile, table } from './stats.mjs';

const P95 = 0.95;

/**
 * What was added to the model's own time.
 * @param {Map<string, { total: number, problem?: string }>} runs by their markers, in milliseconds
 * @param {{ msByPrompt: object, completedByPrompt: object }} ledger the model's own, by the same markers
 * @param {number} steps of a run
 * @returns {{ p50: number, p95: number, modelCalls: number }} of a step, in milliseconds; and the model's calls for a run
 */
export function overheadOf(runs, { msByPrompt, completedByPrompt }, steps) {
  const good = [...runs].filter(([, { problem }]) => problem === undefined);
  const each = good.map(([marker, { total }]) => (total - (msByPrompt[marker] ?? Number.NaN)) / steps);
  const asked = good.reduce((sum, [marker]) => sum + (completedByPrompt[marker] ?? 0), 0);
  return { p50: median(each), p95: quantile(each, P95), modelCalls: asked / good.length };
}

/** What each party adds to a step, and at what price. */
export function stepTable(figures, parties, ats) {
  const headings = [
    ...['added a step, ms', 'at once', 'p50', 'p95', 'steps/s', 'model calls a run'],
    ...['cpu ms a step', 'Temporal', 'runs', 'failed'],
  ];
  const rows = ats.flatMap((at) =>
    parties.map(({ name }) => {
      const of = (figure) => figures.of(name, at, 'run', figure);
      return [
        ...[name, at, ms(of('p50')), ms(of('p95')), ms(of('stepsPerSecond')), of('modelCalls').toFixed(2)],
        ...[ms(of('cpu')), ms(of('temporal')), of('runs'), of('failed')],
      ];
    }),
  );
  return table(headings, rows);
}

/** What each party holds: before its first run, and at the most after so many at once. */
export function memoryTable(figures, parties, ats) {
  const headings = ['memory, MB', 'before', ...ats.map((at) => `${at} at once`), 'Temporal'];
  const rows = parties.map(({ name, before }) => [
    ...[name, before.own.toFixed(0)],
    ...ats.map((at) => figures.of(name, at, 'run', 'ownMb').toFixed(0)),
    before.temporal > 0 ? figures.of(name, ats.at(-1), 'run', 'temporalMb').toFixed(0) : '–',
  ]);
  return table(headings, rows);
}

/** @param {string | null | undefined} rival the party that is to add more; null: it could not be had, undefined: nobody asked for it */
export function judge(aims, figures, { product, rival, ats, steps }) {
  for (const at of rival === undefined ? [] : ats) {
    for (const name of ['p50', 'p95']) {
      const [ours, theirs] = [product, rival].map((who) => (who ? figures.of(who, at, 'run', name) : Number.NaN));
      aims.check(
        `${at} at once: a step, ${name}`,
        `less than CrewAI's ${ms(theirs)} ms`,
        ours < theirs,
        `${ms(ours)} ms`,
      );
    }
  }
  for (const at of ats) {
    aims.between(`${at} at once: model calls a run`, figures.of(product, at, 'run', 'modelCalls'), [steps, steps]);
  }
  aims.atMost('failed runs', figures.sum(product, 'failed'), 0, '', 0);
}
