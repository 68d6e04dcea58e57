import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { pino } from 'pino';
import type { Place, PlaceRequest, Slot } from '../../src/contracts/admission.js';
import { DEAD_AFTER_MS } from '../../src/domain/admission-settle.js';
import { openPostgres, type Db } from '../../src/adapters/store/database.js';
import { PostgresSharedState } from '../../src/adapters/store/postgres-shared-state.js';
import { MemorySharedState } from '../../src/adapters/store/shared-state.js';
import { AdmissionService } from '../../src/services/admission.service.js';
import { createDatabase, freshDatabase, TestPostgres } from '../support/postgres.js';
import { until } from '../support/until.js';
import { administratorOf } from './databases.js';

const silent = pino({ level: 'silent' });
const never = new AbortController().signal;
const SLOTS = 3;
let pools = 0;

/** A process with its own pool of connections and its own session. */
interface Member {
  service: AdmissionService;
  processId: string;
  close(): Promise<void>;
  /** Ends as a process ends that is killed: its connections close, and nothing is put in order. */
  kill(): Promise<void>;
}

/** @param user of the database, if it is to be another one */
async function postgresMember(where: string, user?: string): Promise<Member> {
  const { href: url } = Object.assign(new URL(where), user === undefined ? {} : { username: user });
  const database = openPostgres(url, { poolSize: 4 });
  const shared = await PostgresSharedState.open(database.all, url, silent);
  const service = new AdmissionService(shared, silent);
  let open = true;
  const kill = async (): Promise<void> => {
    if (!open) return;
    open = false;
    await Promise.all([shared.close(), database.close()]);
  };
  const close = async (): Promise<void> => {
    await service.close();
    await kill();
  };
  return { service, processId: shared.processId, close, kill };
}

async function inMemory(): Promise<{ services: AdmissionService[]; close: () => Promise<void> }> {
  const service = new AdmissionService(new MemorySharedState(), silent);
  return { services: [service, service], close: () => service.close() };
}

async function inPostgres(): Promise<{ services: AdmissionService[]; close: () => Promise<void> }> {
  const { url, drop } = await freshDatabase();
  const setup = openPostgres(url, { poolSize: 1 });
  await setup.migrate();
  await setup.close();
  const members = await Promise.all([postgresMember(url), postgresMember(url)]);
  return {
    services: members.map(({ service }) => service),
    close: async () => {
      await Promise.all(members.map((member) => member.close()));
      await drop();
    },
  };
}

/** Requests to one pool, and how many of them run at once. */
class Host {
  running = 0;
  most = 0;
  readonly name = `host ${(pools += 1)}`;
  private count = 0;

  request(rest: Partial<PlaceRequest> = {}): PlaceRequest {
    return {
      ...{ requestId: `r${(this.count += 1)}`, provider: 'm', daoId: 'a', actor: 'u', weight: 1, priority: 1 },
      deadlineAt: Date.now() + 600_000,
      pool: { name: this.name, slots: SLOTS, maxWaiting: 200, maxWaitMs: 600_000 },
      ...rest,
    };
  }

  take(service: AdmissionService, onPlace: (place: Place) => void = () => undefined, signal = never): Promise<Slot> {
    return service.acquire(this.request(), signal, onPlace).then((slot) => {
      this.running += 1;
      this.most = Math.max(this.most, this.running);
      // A call that lost its slot is stopped.
      slot.lost.addEventListener('abort', () => (this.running -= 1));
      return slot;
    });
  }

  async give(slot: Slot): Promise<void> {
    if (!slot.lost.aborted) this.running -= 1;
    await slot.release(true);
  }

  /** One call from beginning to end. */
  async call(service: AdmissionService): Promise<void> {
    const slot = await this.take(service);
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 10));
    await this.give(slot);
  }
}

describe.each([
  ['memory', inMemory],
  ['PostgreSQL', inPostgres],
])('admission over %s', (_name, open) => {
  let parts: Awaited<ReturnType<typeof open>>;
  let one: AdmissionService;
  let other: AdmissionService;
  let host: Host;

  beforeAll(async () => {
    parts = await open();
    [one, other] = parts.services as [AdmissionService, AdmissionService];
  });
  beforeEach(() => {
    host = new Host();
  });
  afterAll(() => parts.close());

  it('should never let more through than there are slots, and serve everybody', async () => {
    await Promise.all(Array.from({ length: 80 }, (_, turn) => host.call(turn % 2 === 0 ? one : other)));
    expect(host.most).toBe(SLOTS);
    const info = (await one.pools()).find(({ name }) => name === host.name);
    expect(info).toEqual({ name: host.name, slots: SLOTS, running: 0, waiting: 0, expectedWaitMs: 0 });
  });

  it('should wake who waits in another process at once, and tell places', async () => {
    const slots = await Promise.all([1, 2, 3].map(() => host.take(one)));
    const places: Place[] = [];
    const waiting = host.take(other, (place) => void places.push(place));
    await until(() => places.length > 0);
    expect(places[0]).toMatchObject({ position: 1 });
    const began = performance.now();
    await host.give(slots[0]!);
    const slot = await waiting;
    expect(performance.now() - began).toBeLessThan(900);
    await Promise.all([...slots.slice(1), slot].map((held) => host.give(held)));
    expect(host.most).toBe(SLOTS);
  });

  it('should keep the place that was reserved, and let a withdrawn request go in any process', async () => {
    const slots = await Promise.all([1, 2, 3].map(() => host.take(one)));
    const first = host.request();
    expect(await one.reserve(first)).toBeUndefined();
    const places: Record<string, number> = {};
    const second = host.request();
    const waiting = [second, first].map((request) =>
      other.acquire(request, never, ({ position }) => (places[request.requestId] = position)),
    );
    await until(() => places[first.requestId] === 1 && places[second.requestId] === 2);
    await one.withdraw(second.requestId, [host.name]);
    await expect(waiting[0]).rejects.toMatchObject({ name: 'PlaceWithdrawn' });
    await host.give(slots[0]!);
    const adopted = await waiting[1]!;
    await Promise.all([adopted.release(true), ...slots.slice(1).map((slot) => host.give(slot))]);
  });

  it('should let a request whose caller is gone leave before it has a slot', async () => {
    const slots = await Promise.all([1, 2, 3].map(() => host.take(one)));
    const gone = new AbortController();
    const leaving = host.take(other, () => gone.abort(new Error('gone')), gone.signal);
    await expect(leaving).rejects.toThrow('gone');
    await until(async () => (await one.pools()).find(({ name }) => name === host.name)?.waiting === 0);
    await Promise.all(slots.map((slot) => host.give(slot)));
  });
});

describe('admission when processes and the database die', () => {
  let server: TestPostgres;
  let watcher: Db;
  let url: string;
  let host: Host;
  const members: Member[] = [];

  const join = async (user?: string): Promise<Member> => {
    const member = await postgresMember(url, user);
    members.push(member);
    return member;
  };

  beforeAll(async () => {
    server = await TestPostgres.start();
  });
  beforeEach(async () => {
    host = new Host();
    url = await createDatabase(server.url, `admission_${pools}`);
    const setup = openPostgres(url, { poolSize: 1 });
    await setup.migrate();
    await setup.close();
    watcher = administratorOf(url);
  });
  afterEach(async () => {
    await Promise.all(members.splice(0).map((member) => member.close()));
    await watcher.destroy();
  });
  afterAll(() => server.stop());

  /** Status of each ticket by its request, as it is written. */
  const written = async (): Promise<Record<string, string>> => {
    const { rows } = await sql<{ id: string; status: string }>`
      select ticket->>'requestId' as id, ticket->>'status' as status
      from shared_states, jsonb_array_elements(state->'tickets') as ticket
    `.execute(watcher);
    return Object.fromEntries(rows.map(({ id, status }) => [id, status]));
  };

  it('should free the slots of a killed process after seven seconds, not before', async () => {
    const [killed, heir] = [await join(), await join()];
    const lost = await Promise.all([1, 2, 3].map(() => host.take(killed.service)));
    const waiting = host.take(heir.service);
    await until(async () => (await heir.service.pools())[0]?.waiting === 1);
    const began = performance.now();
    await killed.kill();
    const slot = await waiting;
    const took = performance.now() - began;
    expect(took).toBeGreaterThan(DEAD_AFTER_MS - 100);
    expect(took).toBeLessThan(DEAD_AFTER_MS + 3_000);
    expect(lost).toHaveLength(SLOTS);
    await slot.release(true);
    await until(async () => (await heir.service.pools())[0]?.running === 0);
  });

  it('should keep the place of a killed process for the same request, which comes seconds later', async () => {
    const [killed, heir] = [await join(), await join()];
    const slots = await Promise.all([1, 2, 3].map(() => host.take(heir.service)));
    const request = host.request();
    const places: Record<string, number> = {};
    const orphan = killed.service.acquire(request, never, ({ position }) => (places.orphan = position));
    orphan.catch(() => undefined);
    await until(() => places.orphan === 1);
    const later = host.take(heir.service, ({ position }) => (places.later = position));
    await until(() => places.later === 2);
    await killed.kill();
    // Until the process counts as dead its place is nobody's, but no slot is spent on it.
    await host.give(slots[0]!);
    const overtaking = await later;
    await until(async () => (await written())[request.requestId] === 'reserved');
    const last = host.take(heir.service, ({ position }) => (places.last = position));
    await until(() => places.last === 2);
    const retried = heir.service.acquire(request, never, ({ position }) => (places.retried = position));
    await until(() => places.retried === 1);
    await host.give(overtaking);
    await (await retried).release(true);
    await Promise.all([await last, ...slots.slice(1)].map((slot) => host.give(slot)));
    expect(host.most).toBe(SLOTS);
  });

  it('should hand over the places of a process that stops', async () => {
    const [stopping, heir] = [await join(), await join()];
    const slots = await Promise.all([1, 2, 3].map(() => host.take(heir.service)));
    const request = host.request();
    const places: Record<string, number> = {};
    const first = stopping.service.acquire(request, never, ({ position }) => (places.first = position));
    await until(() => places.first === 1);
    const later = host.take(heir.service, ({ position }) => (places.later = position));
    await until(() => places.later === 2);
    await Promise.all([expect(first).rejects.toMatchObject({ code: 'SHUTTING_DOWN' }), stopping.close()]);
    expect((await written())[request.requestId]).toBe('reserved');
    const retried = heir.service.acquire(request, never, ({ position }) => (places.retried = position));
    await until(() => places.retried === 1);
    await host.give(slots[0]!);
    await (await retried).release(true);
    await Promise.all([await later, ...slots.slice(1)].map((slot) => host.give(slot)));
  });

  it('should stop the calls of a process that alone loses the database before others may start theirs', async () => {
    await sql`create role cut superuser login`.execute(watcher);
    const [cut, heir] = [await join('cut'), await join()];
    const slots = await Promise.all([1, 2, 3].map(() => host.take(cut.service)));
    const stoppedAt: number[] = [];
    for (const { lost } of slots) lost.addEventListener('abort', () => stoppedAt.push(performance.now()));
    const waiting = host.take(heir.service).then((slot) => ({ slot, grantedAt: performance.now() }));
    await until(async () => (await heir.service.pools())[0]?.waiting === 1);
    await sql`alter role cut nologin`.execute(watcher);
    const began = performance.now();
    await sql`select pg_terminate_backend(pid) from pg_stat_activity where usename = 'cut'`.execute(watcher);
    const { slot, grantedAt } = await waiting;
    expect(stoppedAt).toHaveLength(SLOTS);
    // A short outage stops nobody.
    expect(Math.min(...stoppedAt) - began).toBeGreaterThan(4_500);
    expect(grantedAt - Math.max(...stoppedAt)).toBeGreaterThan(500);
    expect(host.most).toBe(SLOTS);
    await Promise.all(slots.map((each) => each.release(true, false)));
    await expect(host.take(cut.service)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await sql`alter role cut login`.execute(watcher);
    await until(async () => (await cut.service.pools())[0]?.running === 1);
    const again = await host.take(cut.service);
    expect(again.lost.aborted).toBe(false);
    await Promise.all([slot, again].map((each) => host.give(each)));
  });

  it('should keep the slots of a process whose session was cut and came back', async () => {
    const [cut, heir] = [await join(), await join()];
    const slots = await Promise.all([1, 2, 3].map(() => host.take(cut.service)));
    const waiting = host.take(heir.service);
    await sql`select pg_terminate_backend(pid) from pg_locks
      where locktype = 'advisory' and objid = ${cut.processId}::oid`.execute(watcher);
    // Longer than a process may be missing.
    const began = performance.now();
    await until(() => performance.now() - began > DEAD_AFTER_MS + 1_500);
    expect(slots.map(({ lost }) => lost.aborted)).toEqual([false, false, false]);
    expect(host.running).toBe(SLOTS);
    await host.give(slots[0]!);
    await host.give(await waiting);
    await Promise.all(slots.slice(1).map((slot) => host.give(slot)));
    expect(host.most).toBe(SLOTS);
  });

  it('should keep slots and queue over a restart of the database, and let nobody through meanwhile', async () => {
    const [one, other] = [await join(), await join()];
    const slots = await Promise.all([one, one, other].map(({ service }) => host.take(service)));
    const waiting = [one, other, one, other].map(({ service }) => host.take(service));
    await until(async () => (await one.service.pools())[0]?.waiting === 4);
    await server.kill();
    await expect(host.take(other.service)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    // Given back while the database is away: written when it is back.
    await host.give(slots[0]!);
    expect(host.running).toBe(SLOTS - 1);
    await server.restart();
    const next = await Promise.race(waiting);
    expect(slots.slice(1).map(({ lost }) => lost.aborted)).toEqual([false, false]);
    await Promise.all([next, ...slots.slice(1)].map((slot) => host.give(slot)));
    const rest = await Promise.all(waiting);
    await Promise.all(rest.filter((slot) => slot !== next).map((slot) => host.give(slot)));
    expect(host.most).toBe(SLOTS);
    await until(async () => (await one.service.pools())[0]?.running === 0);
  });
});
