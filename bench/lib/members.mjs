import { setTimeout as sleep } from 'node:timers/promises';
import { between, randomFrom } from '../../test/chaos/lib/seed.mjs';
import { quantile } from './stats.mjs';

/** How long a member waits after a failure, and after a refusal that does not say how long, in milliseconds. */
const UNTOLD_PAUSE_MS = 1_000;

/**
 * A member who asks, reads the answer, and asks again. Whoever is refused comes back when told to.
 * @typedef {object} Member
 * @property {string} dao
 * @property {string} member id
 * @property {number} thinkMs mean pause between an answer and the next question; drawn from half to one and a half of it
 */

/**
 * Members at work until the time is over; questions under way are waited for.
 * @param {Member[]} members
 * @param {(question: object) => Promise<object>} call
 * @param {{ ms: number, seed: number, name: string }} options `name` is told with the progress
 * @returns {Promise<{ asks: object[], refusals: object[] }>} an ask is a question with its end, its times counted from
 *   the first try; a refusal knows whether coming back as told was of use
 */
export async function atWork(members, call, { ms, seed, name }) {
  const log = { asks: [], refusals: [] };
  const startedAt = performance.now();
  const stopAt = startedAt + ms;
  const progress = setInterval(() => tell(name, log, ms - (stopAt - performance.now()), ms), progressEvery());
  try {
    await Promise.all(members.map((one, index) => life(one, index, call, { log, seed, startedAt, stopAt })));
  } finally {
    clearInterval(progress);
    if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
  }
  return log;
}

async function life(one, index, call, { log, seed, startedAt, stopAt }) {
  const random = randomFrom(seed * 1_000 + index);
  const pause = () => (one.thinkMs > 0 ? between(random, one.thinkMs / 2, one.thinkMs * 1.5) : 0);
  // Nobody begins in the same instant as everybody else.
  await sleep(one.thinkMs > 0 ? between(random, 0, one.thinkMs) : between(random, 0, 200));
  for (let number = 1; performance.now() < stopAt; number += 1) {
    const ask = await question({ ...one, marker: `q${index}-${number}` }, call, { log, startedAt, stopAt });
    // Told to come back after the end of the time.
    if (!ask) return;
    log.asks.push(ask);
    const rest = ask.outcome === 'failed' ? Math.max(pause(), UNTOLD_PAUSE_MS) : pause();
    await sleep(Math.max(0, Math.min(rest, stopAt - performance.now())));
  }
}

/** Asks until there is an answer or the time is over; gives the end, and how long it took from the first try. */
async function question(one, call, { log, startedAt, stopAt }) {
  const began = performance.now();
  let told;
  for (;;) {
    const tried = performance.now() - began;
    const asked = await call(one);
    if (told) told.admitted = asked.outcome !== 'refused';
    if (asked.outcome !== 'refused')
      return { ...asked, ...fromFirstTry(asked, tried), dao: one.dao, at: began + tried - startedAt };
    const { total: ms, status, code, retryAfterMs } = asked;
    told = { dao: one.dao, at: performance.now() - startedAt, ms, status, code, retryAfterMs };
    log.refusals.push(told);
    const pause = asked.retryAfterMs ?? UNTOLD_PAUSE_MS;
    if (performance.now() + pause > stopAt) return undefined;
    await sleep(pause);
  }
}

/** What a member sees: times from the first try on. `wait`: until the model was called, or until the end if it never was. */
const fromFirstTry = ({ total, first, attempt }, tried) => ({
  total: tried + total,
  first: first === undefined ? undefined : tried + first,
  wait: tried + (attempt ?? total),
});

const progressEvery = () => (process.stderr.isTTY ? 1_000 : 20_000);

function tell(name, { asks, refusals }, goneMs, ms) {
  const totals = asks.filter(({ outcome }) => outcome === 'answered').map(({ total }) => total);
  const clock = (value) =>
    `${Math.floor(value / 60_000)}:${String(Math.floor((value % 60_000) / 1000)).padStart(2, '0')}`;
  const text =
    `${name}  ${clock(Math.min(goneMs, ms))} of ${clock(ms)}  ${asks.length} ended, p95 ` +
    `${totals.length ? (quantile(totals, 0.95) / 1000).toFixed(2) : '–'} s, ${refusals.length} refusals`;
  process.stderr.write(process.stderr.isTTY ? `\r\u001b[K${text}` : `${text}\n`);
}
