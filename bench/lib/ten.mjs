import { plainCaller, routeCaller } from './calls.mjs';
import { providerText } from './load-stage.mjs';
import { atWork } from './members.mjs';
import { quantile, table } from './stats.mjs';

const DAO = 'load-ten';
/** A request of ten members is never older than this, in milliseconds. */
const DEADLINE_MS = 30_000;

/** Ten members at once, before and after: the roadmap's test. */
export async function tenAtOnce(stage, { minutes, seed, patienceMs, thinkMs, aims }) {
  const members = Array.from({ length: 10 }, (_, index) => ({ dao: DAO, member: `tg:${1_001 + index}`, thinkMs }));
  const work = { ms: minutes * 60_000, seed };
  const columns = [await before(stage, members, work, patienceMs), await after(stage, members, work, patienceMs)];
  process.stdout.write(
    `\nTen members at once for ${minutes} min, each pausing ${thinkMs / 2} to ${thinkMs * 1.5} ms between an answer and the next question\n` +
      `before: straight to the model, one timeout of ${patienceMs} ms, no max_tokens, no retry\n` +
      `after: POST /route as a stream; ${providerText()}\n\n${compare(columns, patienceMs)}\n`,
  );
  const [old, now] = columns;
  aims.between('before: P95', old.p95 / 1000, [4.7, 5.7], ' s');
  aims.between('before: timeouts', old.late * 100, [3, 7], ' %');
  aims.atMost('after: P95', now.p95 / 1000, 4, ' s');
  aims.atMost(`after: timeouts (no answer in ${patienceMs} ms)`, now.late * 100, 1, ' %');
  aims.atMost('after: errors', now.errors * 100, 0.5, ' %');
  aims.atMost('after: generations at once', now.most, 3, '', 0);
}

async function before(stage, members, work, patienceMs) {
  const fake = await stage.fake({ seed: work.seed });
  const call = plainCaller({ url: fake.url, timeoutMs: patienceMs });
  const { asks } = await atWork(members, call, { ...work, name: 'before' });
  const stats = await fake.stats();
  await fake.stop();
  return summary('before', { asks, refusals: [] }, stats, patienceMs);
}

async function after(stage, members, work, patienceMs) {
  const fake = await stage.fake({ seed: work.seed });
  const daos = new Map([[DAO, members.map(({ member }) => member)]]);
  const product = await stage.product(fake, daos, { deadlineMs: DEADLINE_MS });
  const log = await atWork(members, routeCaller(product), { ...work, name: 'after' });
  const stats = await fake.stats();
  await product.stop();
  await fake.stop();
  return summary('after', log, stats, patienceMs);
}

/** A member who gave up after the old timeout would have given up here too: an answer that came later is late. */
function summary(name, { asks, refusals }, stats, patienceMs) {
  const answered = asks.filter(({ outcome }) => outcome === 'answered');
  const timeouts = asks.filter(({ outcome }) => outcome === 'timeout');
  const ended = [...answered, ...timeouts].map(({ total }) => total);
  const firsts = answered.map(({ first }) => first).filter((first) => first !== undefined);
  const late = timeouts.length + answered.filter(({ total }) => total > patienceMs).length;
  const failed = asks.filter(({ outcome }) => outcome === 'failed');
  return {
    name,
    requests: asks.length,
    p50: quantile(ended, 0.5),
    p95: quantile(ended, 0.95),
    first50: quantile(firsts, 0.5),
    first95: quantile(firsts, 0.95),
    late: late / asks.length,
    errors: failed.length / asks.length,
    codes: [...new Set(failed.map(({ code }) => code))].join(', '),
    refusals: refusals.length,
    most: stats.maxConcurrent,
    hung: stats.hung,
    service: stats.meanServiceMs ?? Number.NaN,
    gap: stats.longestGapMs,
  };
}

function compare(columns) {
  const seconds = (value) => (value / 1000).toFixed(2);
  const percent = (value) => `${(value * 100).toFixed(2)} %`;
  const lines = [
    ['requests', ({ requests }) => requests],
    ['total P50, s', ({ p50 }) => seconds(p50)],
    ['total P95, s', ({ p95 }) => seconds(p95)],
    ['first token P50, s', ({ first50 }) => seconds(first50)],
    ['first token P95, s', ({ first95 }) => seconds(first95)],
    ['no answer in time', ({ late }) => percent(late)],
    ['errors', ({ errors, codes }) => `${percent(errors)}${codes ? ` (${codes})` : ''}`],
    ['refused at first', ({ refusals }) => refusals],
    ['most at once at the model', ({ most }) => most],
    ['calls that hung', ({ hung }) => hung],
    ['mean time at the model, s', ({ service }) => seconds(service)],
    ['longest pause of the fake itself, ms', ({ gap }) => gap.toFixed(0)],
  ];
  const rows = lines.map(([name, cell]) => [name, ...columns.map(cell)]);
  return table(['', ...columns.map(({ name }) => name)], rows);
}
