// What the calls of `/v1` took: added times in pairs, tables, and what is aimed at.
import { median, quantile, table } from './stats.mjs';

const P95 = 0.95;

/**
 * A party's calls beside those of the model alone with the same markers, that is, with the same times of the model.
 * @returns {{ [name: string]: number }} medians and 95th percentiles in milliseconds; what does not apply is NaN
 */
export function added(calls, alone) {
  const gaps = (name) =>
    [...calls].flatMap(([marker, call]) => {
      const gap = call[name] - alone.get(marker)?.[name];
      return call.problem === undefined && Number.isFinite(gap) ? [gap] : [];
    });
  const [first, total] = [gaps('first'), gaps('total')];
  return {
    ...{ first50: median(first), first95: quantile(first, P95) },
    ...{ total50: median(total), total95: quantile(total, P95) },
  };
}

/** Figures of one cell (a party, so many at once, as a stream or not) over the rounds. */
export class Figures {
  cells = new Map();

  add(party, at, way, figures) {
    const key = `${party}|${at}|${way}`;
    this.cells.set(key, [...(this.cells.get(key) ?? []), figures]);
  }

  /** Median over the rounds; NaN where it was not measured. */
  of(party, at, way, name) {
    return median((this.cells.get(`${party}|${at}|${way}`) ?? []).map((round) => round[name]));
  }

  /** Sum over the rounds and both ways. */
  sum(party, name) {
    const own = [...this.cells].filter(([key]) => key.startsWith(`${party}|`)).flatMap(([, rounds]) => rounds);
    return own.reduce((total, round) => total + round[name], 0);
  }
}

const ms = (value) => (Number.isFinite(value) ? value.toFixed(Math.abs(value) < 100 ? 1 : 0) : '–');

/** What each party adds, and at what price. */
export function addedTable(figures, parties, ats) {
  const headings = [
    ...['added, ms', 'at once', 'first p50', 'p95', 'total p50', 'p95', 'whole p50', 'p95'],
    ...['calls/s', 'whole/s', 'cpu ms', 'Temporal', 'model late', 'failed'],
  ];
  const rows = ats.flatMap((at) =>
    parties.map(({ name }) => {
      const stream = (figure) => figures.of(name, at, 'stream', figure);
      const whole = (figure) => figures.of(name, at, 'whole', figure);
      return [
        ...[name, at],
        ...['first50', 'first95', 'total50', 'total95'].map((figure) => ms(stream(figure))),
        ...['total50', 'total95'].map((figure) => ms(whole(figure))),
        ...[stream('perSecond'), whole('perSecond'), stream('cpu'), stream('temporal')].map(ms),
        ...[ms(stream('late')), stream('failed') + whole('failed')],
      ];
    }),
  );
  return table(headings, rows);
}

/** The same of the model itself: what its own answers took, not what somebody added. */
export function aloneTable(figures, name, ats) {
  const headings = ['model alone, ms', 'first p50', 'p95', 'total p50', 'p95', 'whole p50', 'p95', 'calls/s', 'late'];
  const rows = ats.map((at) => [
    `${at} at once`,
    ...['first50', 'first95', 'total50', 'total95'].map((figure) => ms(figures.of(name, at, 'stream', figure))),
    ...['total50', 'total95'].map((figure) => ms(figures.of(name, at, 'whole', figure))),
    ...[ms(figures.of(name, at, 'stream', 'perSecond')), ms(figures.of(name, at, 'stream', 'late'))],
  ]);
  return table(headings, rows);
}

/** Most that may be added, in milliseconds, by the number of callers at once. */
const BOUNDS = { 1: { first: 3, total: 5 }, 10: { first: 5, total: 10 } };

const CELLS = [
  ['stream', 'first50', 'first token p50'],
  ['stream', 'first95', 'first token p95'],
  ['stream', 'total50', 'total p50, streaming'],
  ['stream', 'total95', 'total p95, streaming'],
  ['whole', 'total50', 'total p50, not streaming'],
  ['whole', 'total95', 'total p95, not streaming'],
];

/** @param {string | null | undefined} rival the party that is to add more; null: it could not be had, undefined: nobody asked for it */
export function judge(aims, figures, { product, rival, ats }) {
  for (const at of ats.filter((one) => one in BOUNDS)) {
    const { first, total } = BOUNDS[at];
    const figure = (way, name) => figures.of(product, at, way, name);
    aims.atMost(`${at} at once: first token p50`, figure('stream', 'first50'), first, ' ms');
    aims.atMost(`${at} at once: total p50, streaming`, figure('stream', 'total50'), total, ' ms');
    aims.atMost(`${at} at once: total p50, not streaming`, figure('whole', 'total50'), total, ' ms');
    for (const [way, name, title] of rival === undefined ? [] : CELLS) {
      const [ours, theirs] = [figure(way, name), rival ? figures.of(rival, at, way, name) : Number.NaN];
      const wanted = `less than LiteLLM's ${ms(theirs)} ms`;
      aims.check(`${at} at once: ${title}`, wanted, ours < theirs, `${ms(ours)} ms`);
    }
  }
  aims.atMost('failed calls', figures.sum(product, 'failed'), 0, '', 0);
}
