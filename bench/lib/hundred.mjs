import { routeCaller } from './calls.mjs';
import { jain, maxMinShares } from './fairness.mjs';
import { atWork } from './members.mjs';
import { MemoryWatch } from './memory.mjs';
import { median, quantile, table } from './stats.mjs';

const DAOS = ['load-a', 'load-b', 'load-c', 'load-d', 'load-e'];
const [HEAVY] = DAOS;
const HEAVY_MEMBERS = 80;
const LIGHT_MEMBERS = 5;
const SLOTS = 3;
/** A request waits at most this long, in milliseconds. */
const DEADLINE_MS = 60_000;
/**
 * A wait of less than this, told and real, is next to nothing: the one call that it is for may end now or in a second,
 * and a quarter of that is no promise. Told apart, and not judged.
 */
const NOTICEABLE_MS = 1_000;
/** Nobody can tell waits of less than this apart, in milliseconds. */
const SHORTEST_WAIT_MS = 100;
/** The first moments, when all come at once and two cores work off who came when, in milliseconds. */
const BURST_MS = 10_000;
/** What is told before this is told by a product that has not yet seen who comes how often, in milliseconds. */
const KNOWN_MS = 60_000;

/** A hundred members of five DAOs at once, of which one has eighty: first all greedy, then the four at human pace. */
export async function hundredAtOnce(stage, { minutes, seed, lightThinkMs, aims }) {
  const greedy = await phase(stage, 'all greedy', { minutes, seed, lightThinkMs: 0 });
  const flood = await phase(stage, 'one floods', { minutes, seed, lightThinkMs });
  process.stdout.write(
    `\nA hundred members at once, ${minutes} min each time: ${HEAVY_MEMBERS} of ${HEAVY}, ${LIGHT_MEMBERS} each of the other four\n` +
      `all greedy: nobody pauses. One floods: the members of the four pause ${lightThinkMs / 2} to ${lightThinkMs * 1.5} ms; ` +
      `asked for per DAO: ${flood.demand.toFixed(2)} of ${SLOTS} slots (fair share ${(SLOTS / DAOS.length).toFixed(2)})\n\n` +
      `${shares(greedy, flood)}\n\n${table(['', greedy.name, flood.name], figures(greedy, flood))}\n`,
  );
  judge(aims, greedy, flood);
}

const membersOf = (lightThinkMs) =>
  DAOS.flatMap((dao, at) =>
    Array.from({ length: dao === HEAVY ? HEAVY_MEMBERS : LIGHT_MEMBERS }, (_, index) => ({
      dao,
      member: `tg:${(at + 2) * 1_000 + index}`,
      thinkMs: dao === HEAVY ? 0 : lightThinkMs,
    })),
  );

async function phase(stage, name, { minutes, seed, lightThinkMs }) {
  const members = membersOf(lightThinkMs);
  const daos = new Map(DAOS.map((dao) => [dao, members.filter((one) => one.dao === dao).map(({ member }) => member)]));
  const fake = await stage.fake({ seed });
  const product = await stage.product(fake, daos, { deadlineMs: DEADLINE_MS });
  const memory = new MemoryWatch(product.pid);
  const ms = minutes * 60_000;
  // What is served after the end, when members leave one by one, is no matter of fairness.
  let atEnd;
  const timer = setTimeout(() => (atEnd = fake.stats()), ms);
  const log = await atWork(members, routeCaller(product), { ms, seed, name });
  clearTimeout(timer);
  memory.stop();
  const stats = (await atEnd) ?? (await fake.stats());
  await product.stop();
  await fake.stop();
  return measure(name, log, stats, { ms, lightThinkMs, memory: memory.points() });
}

function measure(name, { asks, refusals }, stats, { ms, lightThinkMs, memory }) {
  const served = DAOS.map((dao) => (stats.byDao[dao]?.servedMs ?? 0) / 1000);
  const service = stats.meanServiceMs ?? Number.NaN;
  const demand = (LIGHT_MEMBERS * service) / (service + lightThinkMs);
  const capacity = served.reduce((sum, seconds) => sum + seconds, 0);
  const greedy = lightThinkMs === 0;
  const demands = DAOS.map((dao) => (dao === HEAVY || greedy ? Number.POSITIVE_INFINITY : (demand * ms) / 1000));
  const entitled = maxMinShares(demands, capacity);
  const light = asks.filter(({ dao }) => dao !== HEAVY);
  return {
    name,
    served,
    entitled,
    demand,
    service,
    fairness: jain(served.map((seconds, index) => seconds / entitled[index])),
    used: capacity / ((SLOTS * ms) / 1000),
    requests: asks.length,
    failed: asks.filter(({ outcome }) => outcome !== 'answered'),
    lightWait:
      quantile(
        light.map(({ wait }) => wait),
        0.95,
      ) / service,
    lightAccepted: quantile(
      light.map(({ accepted }) => accepted ?? Number.NaN),
      0.95,
    ),
    promise: promiseError(
      asks.filter(({ at }) => at >= KNOWN_MS),
      NOTICEABLE_MS,
    ),
    everyPromise: promiseError(asks, 0),
    ...refusalFigures(refusals),
    most: stats.maxConcurrent,
    gap: stats.longestGapMs,
    memory,
  };
}

/** The first word on the wait beside the wait that came: medians of the relative error and of real by promised. */
function promiseError(asks, shortest) {
  const pairs = asks
    .filter(({ queue, attempt }) => queue && attempt !== undefined && attempt >= queue.at)
    .map(({ queue, attempt }) => ({
      promised: Math.max(queue.expected, SHORTEST_WAIT_MS),
      real: Math.max(attempt - queue.at, SHORTEST_WAIT_MS),
    }))
    .filter(({ promised, real }) => promised >= shortest || real >= shortest);
  return {
    count: pairs.length,
    median: median(pairs.map(({ promised, real }) => Math.abs(promised - real) / real)),
    ratio: median(pairs.map(({ promised, real }) => real / promised)),
  };
}

function refusalFigures(refusals) {
  const told = refusals.map(({ retryAfterMs }) => retryAfterMs).filter((value) => value !== undefined);
  return {
    refusals: refusals.length,
    burstMs: p95(refusals.filter(({ at }) => at < BURST_MS)),
    refusalMs: p95(refusals.filter(({ at }) => at >= BURST_MS)),
    lightRefusals: refusals.filter(({ dao }) => dao !== HEAVY).length,
    statuses: [...new Set(refusals.map(({ status, code }) => `${status} ${code}`))].join(', '),
    untold: refusals.length - told.length,
    toldMs: told.length > 0 ? median(told) : Number.NaN,
    everyReturn: returns(refusals),
    laterReturn: returns(refusals.filter(({ at }) => at >= KNOWN_MS)),
  };
}

const p95 = (refusals) =>
  refusals.length > 0
    ? quantile(
        refusals.map(({ ms }) => ms),
        0.95,
      )
    : Number.NaN;

/** Those who came back when they were told to, and the share of them that was let in. */
function returns(refusals) {
  const cameBack = refusals.filter(({ admitted }) => admitted !== undefined);
  return { count: cameBack.length, truthful: cameBack.filter(({ admitted }) => admitted).length / cameBack.length };
}

function shares(...phases) {
  const rows = DAOS.map((dao, index) => [
    dao,
    ...phases.flatMap(({ served, entitled }) => [
      served[index].toFixed(1),
      entitled[index].toFixed(1),
      (served[index] / entitled[index]).toFixed(2),
    ]),
  ]);
  const headings = phases.flatMap(({ name }) => [`${name}: served s`, 'entitled s', 'ratio']);
  return table(['DAO', ...headings], rows);
}

function figures(...phases) {
  const lines = [
    ['questions that ended', ({ requests }) => requests],
    ['without an answer', ({ failed }) => `${failed.length}${codesOf(failed)}`],
    ['mean time at the model, ms', ({ service }) => service.toFixed(0)],
    ['slots used', ({ used }) => `${(used * 100).toFixed(0)} %`],
    ['most at once at the model', ({ most }) => most],
    ['Jain, served by entitled', ({ fairness }) => fairness.toFixed(3)],
    ['light DAO: P95 wait, service times', ({ lightWait }) => lightWait.toFixed(2)],
    ['light DAO: P95 until accepted, ms', ({ lightAccepted }) => figure(lightAccepted)],
    [
      'every promised wait: median error',
      ({ everyPromise: { median: error, count } }) => `${figure(error * 100)} % of ${count}`,
    ],
    [
      'those of a second or more after the first minute',
      ({ promise }) => `${figure(promise.median * 100)} % of ${promise.count}`,
    ],
    ['real by promised wait, median', ({ promise }) => figure(promise.ratio, 2)],
    ['refusals', ({ refusals, statuses }) => `${refusals}${refusals > 0 ? ` (${statuses})` : ''}`],
    ['of them of light DAOs', ({ lightRefusals }) => lightRefusals],
    ['refusal P95 in the first burst, ms', ({ burstMs }) => figure(burstMs)],
    ['refusal P95 later, ms', ({ refusalMs }) => figure(refusalMs)],
    ['Retry-After median, s; without', ({ toldMs, untold }) => `${figure(toldMs / 1000, 1)}; ${untold}`],
    ['came back; of them let in', ({ everyReturn }) => letIn(everyReturn)],
    ['of those refused after the first minute', ({ laterReturn }) => letIn(laterReturn)],
    ['longest pause of the fake itself, ms', ({ gap }) => gap.toFixed(0)],
    ['memory at five points, MB', ({ memory }) => memory.map((megabytes) => megabytes.toFixed(0)).join(' ')],
  ];
  return lines.map(([name, cell]) => [name, ...phases.map(cell)]);
}

const letIn = ({ count, truthful }) => `${count}; ${figure(truthful * 100)} %`;

const figure = (value, digits = 0) => (Number.isFinite(value) ? value.toFixed(digits) : '–');

const codesOf = (failed) => {
  const codes = [...new Set(failed.map(({ code, outcome }) => code ?? outcome))];
  return codes.length > 0 ? ` (${codes.join(', ')})` : '';
};

function judge(aims, greedy, flood) {
  aims.atLeast('all greedy: Jain over served seconds', jain(greedy.served), 0.95, '', 3);
  aims.atLeast('one floods: Jain, served by entitled', flood.fairness, 0.95, '', 3);
  aims.atMost('one floods: P95 wait of light DAOs', flood.lightWait, 2, ' service times');
  for (const one of [greedy, flood]) {
    aims.atMost(`${one.name}: generations at once`, one.most, 3, '', 0);
    aims.atMost(`${one.name}: promised wait of a second or more, median error`, one.promise.median * 100, 25, ' %', 0);
    // Nobody refused is nothing to complain of.
    if (!Number.isNaN(one.refusalMs)) aims.atMost(`${one.name}: refusal P95`, one.refusalMs, 250, ' ms', 0);
    const { count, truthful } = one.laterReturn;
    if (count > 0) aims.atLeast(`${one.name}: let in after Retry-After`, truthful * 100, 80, ' %', 0);
    aims.atMost(`${one.name}: memory, last fifth by second`, one.memory[4] / one.memory[1], 1.15);
  }
}
