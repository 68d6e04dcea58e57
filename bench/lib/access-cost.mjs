// What policies cost: the statements of a request through the product's repositories, over handles of four kinds, in turns.
import { v7 as uuid } from 'uuid';
import { fromBuild } from '../../test/support/parts.mjs';
import { daoOf, memberOf, userOf } from './access-stage.mjs';
import { median, quantile } from './stats.mjs';

/** What is compared: handles on the database, and whether two DAOs take turns on them. */
export const WAYS = [
  { name: 'owner, no policies', of: (stage, size) => stage.unbound(size), alternate: true },
  { name: 'ours, the DAO of before', of: (stage, size) => stage.open(size), alternate: false },
  { name: 'ours, another DAO each time', of: (stage, size) => stage.open(size), alternate: true },
  { name: 'SET LOCAL in a transaction', of: (stage, size) => stage.local(size), alternate: true },
];

const DECISION = {
  mode: 'chat',
  rule: 'chat',
  chain: [],
  roles: ['member'],
  entitlements: ['chat.write'],
  deadlineMs: 60_000,
  configHash: '0123456789abcdef',
};
const USAGE = { prompt_tokens: 100, completion_tokens: 50, total_tokens: 150 };
const TIMINGS = { gateway: 1, rbac: 1, queue: 1, llm: 100, total: 103 };
const ANSWER = {
  ...{ text: 'The farms deliver on Tuesdays.', finishReason: 'stop', provider: 'bench', origin: { step: 'provider' } },
  ...{ usage: USAGE, attempts: [{ provider: 'bench', status: 'ok', ms: 100 }], timings: TIMINGS, generation: 1 },
};

const STEPS = ['actor', 'owner', 'accept', 'claim', 'answer'];

/** The statements of one chat, in their order, as functions of a DAO's number and the request's id. */
async function stepsOver(tenants) {
  const { AccessRepository } = await fromBuild('src/adapters/store/access.repository.js');
  const { RequestsRepository } = await fromBuild('src/adapters/store/requests.repository.js');
  const access = new AccessRepository(tenants);
  const requests = new RequestsRepository(tenants);
  const facts = { dao: { id: 'dao', name: 'DAO' }, roles: [], platformAdmin: false };
  return {
    actor: (dao) => access.byUser(daoOf(dao), userOf(dao, 1)),
    owner: (dao) => access.byMember(daoOf(dao), memberOf(dao, 0)),
    accept: (dao, id) =>
      requests.accept({
        ...{ id, daoId: daoOf(dao), actor: userOf(dao, 1), keyId: 'bench', source: 'telegram', mode: 'chat' },
        ...{ agent: undefined, sessionId: undefined, prompt: 'When do the farms deliver?', metadata: {} },
        ...{ access: facts, decision: DECISION, timings: {}, idempotency: undefined },
        ...{ receivedAt: new Date(), deadlineAt: new Date(Date.now() + 60_000) },
      }),
    claim: (dao, id) => requests.claim(id, daoOf(dao), { provider: 'bench', attempts: [], historyBytes: 10_000 }),
    answer: (dao, id) => requests.recordAnswer(id, daoOf(dao), ANSWER),
  };
}

/** Two requests side by side, statement by statement: of one DAO, or of two, so that each statement changes the scope. */
async function pair(steps, names, [first, second]) {
  const ids = [uuid(), uuid()];
  const began = performance.now();
  for (const name of names) {
    expectDone(await steps[name](first, ids[0]));
    expectDone(await steps[name](second, ids[1]));
  }
  return (performance.now() - began) / 2;
}

function expectDone(result) {
  if (!result) throw new Error('a statement did nothing: what is measured is not a request');
}

/**
 * One at a time on one connection.
 * @returns for each way the medians of all rounds, in milliseconds: of the look-up alone, and of a whole request
 */
export async function measureCost(stage, { daos }, { rounds, pairs }) {
  const ways = [];
  for (const way of WAYS) {
    ways.push({ ...way, steps: await stepsOver(way.of(stage, 1)), lookUp: [], request: [] });
  }
  for (let round = -1; round < rounds; round += 1) {
    // Each takes each place in turn; the first round only warms up.
    const turns = ways.map((_, index) => ways[(index + round + ways.length) % ways.length]);
    for (const way of turns) {
      const taken = { lookUp: [], request: [] };
      for (let n = 0; n < pairs; n += 1) {
        const dao = n % daos;
        const daosOfPair = [dao, way.alternate ? (dao + 1) % daos : dao];
        taken.request.push(await pair(way.steps, STEPS, daosOfPair));
        taken.lookUp.push(await pair(way.steps, ['actor'], daosOfPair));
      }
      if (round < 0) continue;
      way.lookUp.push(median(taken.lookUp));
      way.request.push(median(taken.request));
    }
  }
  return ways;
}

/** Ten at once on ten connections, each request of a DAO drawn at random: as a busy server has it. */
export async function measureThroughput(stage, { daos }, { rounds, pairs, random }) {
  const ways = [];
  for (const way of WAYS.filter(({ name }) => name !== 'ours, the DAO of before')) {
    ways.push({ ...way, steps: await stepsOver(way.of(stage, 10)), perSecond: [], p99: [] });
  }
  for (let round = -1; round < rounds; round += 1) {
    const turns = ways.map((_, index) => ways[(index + round + ways.length) % ways.length]);
    for (const way of turns) {
      const { perSecond, times } = await flood(way.steps, { daos, total: pairs * 4, random });
      if (round < 0) continue;
      way.perSecond.push(perSecond);
      way.p99.push(quantile(times, 0.99));
    }
  }
  return ways;
}

async function flood(steps, { daos, total, random }) {
  const times = [];
  let left = total;
  const work = async () => {
    while (left-- > 0) {
      const [dao, id] = [Math.floor(random() * daos), uuid()];
      const at = performance.now();
      for (const name of STEPS) expectDone(await steps[name](dao, id));
      times.push(performance.now() - at);
    }
  };
  const began = performance.now();
  await Promise.all(Array.from({ length: 10 }, work));
  return { perSecond: total / ((performance.now() - began) / 1_000), times };
}

/** The median over rounds of a figure divided by that of another way in the same round. */
export const ratio = (figures, to) => median(figures.map((figure, round) => figure / to[round]));
