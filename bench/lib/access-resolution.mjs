// How long it takes to find out who somebody is and what they may do, through the service, and whether it is true.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fromBuild } from '../../test/support/parts.mjs';
import { daoOf, hasSecond, memberOf, roleOf, secondOf, userOf } from './access-stage.mjs';
import { quantile } from './stats.mjs';

const AT_ONCE = [1, 10, 50];
/** Persons who are asked about again and again, in how many DAOs there are: fewer than a process remembers. */
const KNOWN = 5_000;

/** The service over a database, in a process that has asked nothing yet. */
async function service(database) {
  const { AccessRepository } = await fromBuild('src/adapters/store/access.repository.js');
  const { AuditRepository } = await fromBuild('src/adapters/store/audit.repository.js');
  const { AccessService } = await fromBuild('src/services/access.service.js');
  return new AccessService(new AccessRepository(database), new AuditRepository(database), () => undefined);
}

/** A gateway key that an admin of the DAO made: what it gives is bound by the maker's rights, so two persons are looked up. */
const keyOf = (dao) => ({
  id: `bench-${dao}`,
  daoId: daoOf(dao),
  principal: `api:bench-${dao}`,
  gateway: true,
  owner: memberOf(dao, 0),
  scopes: null,
});

/** One question, timed. @returns {Promise<{ ms: number, roles: string[] }>} */
async function ask(access, { dao, userId }) {
  const began = performance.now();
  const { rights } = await access.resolve(keyOf(dao), { userId });
  return { ms: performance.now() - began, roles: rights.roles };
}

/** Persons, each by one of their ids, spread over all DAOs; the owners of keys are not among them. */
function persons({ daos, members }, count, from = 0) {
  return Array.from({ length: count }, (_, index) => {
    const n = from + index;
    const [dao, member] = [n % daos, 1 + (Math.floor(n / daos) % (members - 1))];
    const userId = hasSecond(member) && n % 2 === 0 ? secondOf(dao, member) : userOf(dao, member);
    return { dao, member, userId, role: roleOf(member) };
  });
}

/** Asks about everybody in a list, so many at once. */
async function askAll(access, list, atOnce) {
  const times = [];
  let wrong = 0;
  let next = 0;
  const work = async () => {
    while (next < list.length) {
      const person = list[next++];
      const { ms, roles } = await ask(access, person);
      times.push(ms);
      if (roles.join() !== person.role) wrong += 1;
    }
  };
  const began = performance.now();
  await Promise.all(Array.from({ length: atOnce }, work));
  return { times, wrong, perSecond: list.length / ((performance.now() - began) / 1_000) };
}

const shuffled = (list, random) =>
  list
    .map((one) => [random(), one])
    .toSorted(([a], [b]) => a - b)
    .map(([, one]) => one);

/**
 * @param {import('./access-stage.mjs').Stage} stage
 * @returns rows of the table: name, how many at once, times, how many answers were not as they should be
 */
export async function measureResolution(stage, size, { questions, changes, random }) {
  const database = stage.open();
  const rows = [];
  for (const atOnce of AT_ONCE) {
    const everybody = shuffled(persons(size, size.daos * (size.members - 1)), random).slice(0, questions);
    rows.push({ name: 'never asked before', atOnce, ...(await askAll(await service(database), everybody, atOnce)) });
  }
  const access = await service(database);
  const known = persons(size, Math.min(KNOWN, size.daos * (size.members - 1)));
  await askAll(access, known, 1);
  for (const atOnce of AT_ONCE) {
    const list = Array.from({ length: questions }, () => known[Math.floor(random() * known.length)]);
    rows.push({ name: 'known, confirmed', atOnce, ...(await askAll(access, list, atOnce)) });
  }
  for (const others of [0, 10]) {
    rows.push({
      name: `after a change by ${stage.url ? 'another process' : 'another handle'}`,
      atOnce: others + 1,
      ...(await afterChanges(access, await writer(stage, database), known, { changes, others })),
    });
  }
  return rows;
}

/** Each time: a known person's role is changed elsewhere, and once that is confirmed, the next question is timed. */
async function afterChanges(access, writer, known, { changes, others }) {
  const times = [];
  let wrong = 0;
  let going = true;
  let answered = 0;
  const background = Array.from({ length: others }, async (_, index) => {
    for (let n = index; going; n += others) {
      await ask(access, known[n % known.length]);
      answered += 1;
    }
  });
  const began = performance.now();
  for (let n = 0; n < changes; n += 1) {
    const person = known[(n * 7) % known.length];
    await ask(access, person);
    for (const role of ['guest', person.role]) {
      await writer.change({ daoId: daoOf(person.dao), memberId: memberOf(person.dao, person.member), roles: [role] });
      const { ms, roles } = await ask(access, person);
      times.push(ms);
      if (roles.join() !== role) wrong += 1;
    }
  }
  going = false;
  await Promise.all(background);
  const perSecond = (answered + times.length) / ((performance.now() - began) / 1_000);
  await writer.close();
  return { times, wrong, perSecond };
}

/** Whoever changes roles: a process of its own where the database lets one in. */
async function writer(stage, database) {
  if (!stage.url) {
    const { changeRoles } = await import('./access-writer.mjs');
    return { change: await changeRoles(database), close: () => Promise.resolve() };
  }
  const child = fork(join(import.meta.dirname, 'access-writer.mjs'), [stage.url]);
  await once(child, 'message');
  return {
    change: async (message) => {
      child.send(message);
      await once(child, 'message');
    },
    close: async () => {
      child.disconnect();
      await once(child, 'exit');
    },
  };
}

export const spread = (times) => [0.5, 0.95, 0.99].map((share) => quantile(times, share));
