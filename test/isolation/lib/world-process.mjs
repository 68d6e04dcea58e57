// One of the two worlds, as a process of its own: plays the operations that it is told to, and tells what the first DAO saw.
import { randomFrom } from '../../chaos/lib/seed.mjs';
import { DaoState, found } from './dao-state.mjs';
import { beginAnew, beginMoment, numberOf, passTime, takeOver } from './fate.mjs';

/** Time between two operations of the run. */
const STEP_MS = 17_000;
const DAOS = ['amber', 'birch'];

const { beganAt, seed, variant, planted, episode } = JSON.parse(process.argv[2]);
/** Moments in which an episode is made ready, before its first operation. */
const READYING = 3;
/** When an operation is: it depends on nothing but its number, so that an episode can be repeated alone. */
const timeOf = (n) => beganAt + (n + READYING * (Math.floor(n / episode) + 1)) * STEP_MS;
takeOver(beganAt);
// Only now, so that nothing of it has looked at the clock before.
const { World } = await import('./world.mjs');
const { drawOperation, OPERATIONS } = await import('./operations.mjs');
const { Draw } = await import('./operations/draw.mjs');
const { seen } = await import('./masks.mjs');

/** The second DAO is another one in each world: other people, other facts, other limits, other doings. */
const PEOPLE = [
  { 'tg:2': 'member', 'tg:3': 'contributor', 'tg:5': 'member' },
  { 'tg:2': 'admin', 'tg:3': 'member', 'tg:6': 'contributor', 'dc:4': 'admin', 'tg:7': 'member' },
];
const LIMITS = [{}, { tokens_per_month: 40_000, requests_per_minute: 5, weight: 3 }];

let world;
let states;

async function open(from) {
  await world?.close();
  const begin = (step) => beginMoment(timeOf(from) - (READYING - step) * STEP_MS, seed, 'ready', from, step);
  beginAnew(seed, from);
  begin(0);
  world = await World.open(planted);
  states = [new DaoState(DAOS[0], DAOS[1], ''), new DaoState(DAOS[1], DAOS[0], variant === 0 ? '' : ', changed')];
  begin(1);
  await found(world, states[0], {
    ...{ facts: { purpose: 'Food from farms.' }, people: PEOPLE[0] },
    limits: { tokens_per_month: 3_000_000, requests_per_minute: 40 },
  });
  begin(2);
  const facts = { purpose: `Something else${states[1].flavour}` };
  await found(world, states[1], { facts, people: PEOPLE[variant], limits: LIMITS[variant] });
}

/** Who is next is the same in both worlds; what the second DAO does is not. */
const turnOf = (n) => numberOf(seed, 'turn', n) % 2;
const chancesOf = (who, n) => randomFrom(numberOf(seed, who, n, who === 1 ? variant : ''));

async function play(n) {
  const who = turnOf(n);
  await passTime(timeOf(n), () => world.settled());
  beginMoment(timeOf(n), seed, 'operation', n, who === 1 ? variant : '');
  const { name, call } = drawOperation(new Draw(chancesOf(who, n), states[who]));
  const answer = await world.call(call);
  hear(states[who], name, call, answer);
  return { n, who, name, call, status: answer.status, answer };
}

function hear(state, name, { key }, { status, body: text }) {
  const wasLost = state.lost !== undefined;
  state.used(key, status);
  if (status >= 300 || !text.startsWith('{')) return;
  const body = JSON.parse(text);
  if (wasLost) state.regain(body.key);
  else OPERATIONS[name].learn?.(state, body);
}

async function block({ from, count, foreign }) {
  states[0].foreign = foreign;
  const played = [];
  for (let n = from; n < from + count; n += 1) {
    const { who, name, call, status, answer } = await play(n);
    played.push({ n, who, name, status, ...(who === 0 && { call, seen: seen(answer) }) });
  }
  return { played, known: states[1].known };
}

process.on('message', ({ kind, ...rest }) => {
  const work = kind === 'open' ? open(rest.from) : block(rest);
  work.then(
    (done = {}) => process.send({ done, routes: world.routes }),
    (error) => process.send({ error: error.stack ?? String(error) }),
  );
});
process.send({ ready: true });
