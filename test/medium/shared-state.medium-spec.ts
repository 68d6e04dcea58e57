import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import pg from 'pg';
import { pino } from 'pino';
import type { SharedState } from '../../src/contracts/shared-state.js';
import { openPostgres, type Database, type Db } from '../../src/adapters/store/database.js';
import { PostgresSharedState } from '../../src/adapters/store/postgres-shared-state.js';
import { MemorySharedState } from '../../src/adapters/store/shared-state.js';
import { freshDatabase, TestPostgres } from '../support/postgres.js';
import { until } from '../support/until.js';
import { administratorOf } from './databases.js';

const silent = pino({ level: 'silent' });

interface Stores {
  /** Two processes' views of the same values; in memory both are the same. */
  states: [SharedState, SharedState];
  close(): Promise<void>;
}

async function inMemory(): Promise<Stores> {
  const state = new MemorySharedState();
  return { states: [state, state], close: () => state.close() };
}

async function inPostgres(): Promise<Stores> {
  const { url, drop } = await freshDatabase();
  const databases = [openPostgres(url, { poolSize: 4 }), openPostgres(url, { poolSize: 4 })] as const;
  await databases[0].migrate();
  const [one, other] = await Promise.all(databases.map(({ all }) => PostgresSharedState.open(all, url, silent)));
  return {
    states: [one!, other!],
    close: async () => {
      await Promise.all([one!.close(), other!.close()]);
      await Promise.all(databases.map((database) => database.close()));
      await drop();
    },
  };
}

const add = (state: SharedState, name: string, by = 1): Promise<number> =>
  state.change<{ sum: number }, number>(name, (before) => {
    const sum = (before?.sum ?? 0) + by;
    return { state: { sum }, result: sum };
  });

describe.each([
  ['memory', inMemory],
  ['PostgreSQL', inPostgres],
])('values that processes share, in %s', (_name, open) => {
  let stores: Stores;
  let one: SharedState;
  let other: SharedState;
  const stops: (() => void)[] = [];

  beforeAll(async () => {
    stores = await open();
    [one, other] = stores.states;
  });
  afterEach(() => stops.splice(0).forEach((stop) => stop()));
  afterAll(() => stores.close());

  const listen = (state: SharedState, name: string): { calls: number } => {
    const heard = { calls: 0 };
    stops.push(state.onChange(name, () => (heard.calls += 1)));
    return heard;
  };

  it('should lose no change, however many are made at once, and give each its own result', async () => {
    const sums = await Promise.all(Array.from({ length: 200 }, (_, turn) => add(turn % 2 === 0 ? one : other, 'sum')));
    expect(sums.sort((first, second) => first - second)).toEqual(Array.from({ length: 200 }, (_, turn) => turn + 1));
    expect((await other.read('sum')).get('sum')).toEqual({ sum: 200 });
  });

  it('should give the clock and the processes that live, the own one among them', async () => {
    const { now, alive } = await one.change('moment', (_, moment) => ({ state: 1, result: moment }));
    expect(Math.abs(now - Date.now())).toBeLessThan(5_000);
    expect(alive).toEqual(new Set([one.processId, other.processId]));
  });

  it('should keep names apart, and read those with a prefix', async () => {
    for (const name of ['a:1', 'a:2', 'b:1', 'a%']) await add(one, name);
    expect([...(await one.read('a:')).keys()].sort()).toEqual(['a:1', 'a:2']);
    expect((await one.read('a%')).size).toBe(1);
  });

  it('should tell listeners of every process, together for changes in quick succession, until they stop', async () => {
    const heard = [listen(one, 'told'), listen(other, 'told')];
    await Promise.all(Array.from({ length: 50 }, () => add(one, 'told')));
    await until(() => heard.every(({ calls }) => calls > 0));
    for (const { calls } of heard) expect(calls).toBeLessThan(50);
    stops.splice(0).forEach((stop) => stop());
    const before = heard.map(({ calls }) => calls);
    const last = listen(one, 'told');
    await add(other, 'told');
    await until(() => last.calls > 0);
    expect(heard.map(({ calls }) => calls)).toEqual(before);
  });

  it('should write nothing and wake nobody when a change hands back what it was given', async () => {
    await add(one, 'same');
    const heard = listen(one, 'same');
    const marker = listen(one, 'marker');
    // Whoever starts to listen may be told once of what happened before.
    await until(() => add(other, 'marker').then(() => marker.calls > 0));
    const before = heard.calls;
    const unchanged = await one.change<unknown, string>('same', (state) => ({ state, result: 'seen' }));
    await one.change<unknown, undefined>('never written', (state) => ({ state, result: undefined }));
    const calls = marker.calls;
    await add(one, 'marker');
    await until(() => marker.calls > calls);
    expect([unchanged, heard.calls]).toEqual(['seen', before]);
    expect((await one.read('never written')).size).toBe(0);
  });

  it('should let a change that throws spoil no other', async () => {
    const outcomes = await Promise.allSettled([
      add(one, 'spoilt'),
      one.change('spoilt', () => {
        throw new Error('no');
      }),
      add(one, 'spoilt'),
    ]);
    expect(outcomes).toMatchObject([{ value: 1 }, { reason: new Error('no') }, { value: 2 }]);
  });
});

describe('values that processes share through PostgreSQL', () => {
  let server: TestPostgres;
  let database: Database;
  let watcher: Db;
  let lines: { msg: string; level: number }[];
  const opened: PostgresSharedState[] = [];

  const open = async (): Promise<PostgresSharedState> => {
    const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(JSON.parse(line) as never) });
    const state = await PostgresSharedState.open(database.all, server.url, log);
    opened.push(state);
    return state;
  };
  const alive = (state: SharedState): Promise<ReadonlySet<string>> =>
    state.change<unknown, ReadonlySet<string>>('any', (value, moment) => ({ state: value, result: moment.alive }));
  /** Whether another process sees this one. */
  const seen = async (state: SharedState, by: SharedState): Promise<boolean> => (await alive(by)).has(state.processId);
  const terminate = (processId: string): Promise<unknown> =>
    sql`select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and objid = ${processId}::oid`.execute(
      watcher,
    );

  beforeAll(async () => {
    server = await TestPostgres.start();
    database = openPostgres(server.url, { poolSize: 4 });
    watcher = administratorOf(server.url);
    await database.migrate();
  });
  afterEach(() => Promise.all(opened.splice(0).map((state) => state.close())));
  afterAll(async () => {
    await database.close();
    await watcher.destroy();
    await server.stop();
  });

  it('should see a process until it closes', async () => {
    lines = [];
    const [one, other] = [await open(), await open()];
    expect(await seen(one, other)).toBe(true);
    await one.close();
    await until(async () => !(await seen(one, other)));
    expect(await alive(other)).toEqual(new Set([other.processId]));
    expect(lines).toEqual([]);
  });

  it('should come back as the same process when its session is cut, and miss no change', async () => {
    lines = [];
    const [one, other] = [await open(), await open()];
    const { processId } = one;
    let calls = 0;
    one.onChange('cut', () => (calls += 1));
    await terminate(processId);
    await until(() => lines.length === 2 && seen(one, other));
    expect(one.processId).toBe(processId);
    expect(lines.map(({ level, msg }) => [level, msg.slice(0, 36)])).toEqual([
      [40, 'session with the database is lost: t'],
      [30, 'session with the database is back, i'],
    ]);
    expect(calls).toBeGreaterThan(0);
    const before = calls;
    await add(other, 'cut');
    await until(() => calls > before);
  });

  it('should let nobody change anything who is not seen for long, and tell of it once', async () => {
    lines = [];
    await sql`create role unseen superuser login`.execute(watcher);
    const { href } = Object.assign(new URL(server.url), { username: 'unseen' });
    const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(JSON.parse(line) as never) });
    // Only the session is lost: the pool of connections is not.
    const one = await PostgresSharedState.open(database.all, href, log);
    opened.push(one);
    let told = 0;
    one.onUnseen(() => (told += 1));
    await add(one, 'unseen');
    await sql`alter role unseen nologin`.execute(watcher);
    await terminate(one.processId);
    expect(await add(one, 'unseen')).toBe(2);
    await until(() => told > 0);
    await expect(add(one, 'unseen')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await sql`alter role unseen login`.execute(watcher);
    await until(() => add(one, 'unseen').then((sum) => sum === 3));
    expect(told).toBe(1);
    expect(lines.map(({ level }) => level)).toEqual([40, 40, 30]);
  });

  it('should send no message of a quiet change, which listeners find all the same', async () => {
    lines = [];
    const [one, other] = [await open(), await open()];
    const messages: (string | undefined)[] = [];
    const client = new pg.Client({ connectionString: server.url });
    await client.connect();
    client.on('notification', ({ payload }) => void messages.push(payload));
    await client.query('listen dagi_shared_states');
    await add(one, 'quiet');
    let calls = 0;
    other.onChange('quiet', () => (calls += 1));
    await until(() => calls > 0 && messages.length === 1);
    const before = calls;
    const quietly = { state: { sum: 5 }, result: undefined, quiet: true };
    await one.change<{ sum: number }, undefined>('quiet', () => quietly);
    await until(() => calls > before);
    await add(other, 'loud');
    await until(() => messages.length === 2);
    expect(messages).toEqual(['quiet', 'loud']);
    // A change that is not quiet is told of, though it is written together with one that is.
    await Promise.all([one.change('quiet', () => quietly), add(one, 'quiet')]);
    await until(() => messages.length >= 3);
    await client.end();
    expect(await add(other, 'quiet')).toBe(7);
  });

  it('should notice a change of which no message came', async () => {
    lines = [];
    const one = await open();
    await add(one, 'silent');
    let calls = 0;
    one.onChange('silent', () => (calls += 1));
    await until(() => calls > 0);
    const before = calls;
    await sql`update shared_states set version = version + 1, state = '{"sum": 7}' where name = 'silent'`.execute(
      watcher,
    );
    await until(() => calls > before);
    expect(await add(one, 'silent')).toBe(8);
  });

  it('should give up in time where others are always quicker', async () => {
    lines = [];
    const one = await open();
    await add(one, 'contested');
    await sql`create function skip() returns trigger language plpgsql as 'begin return null; end'`.execute(watcher);
    await sql`create trigger skip before update on shared_states for each row when (old.name = 'contested')
      execute function skip()`.execute(watcher);
    await expect(add(one, 'contested')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await sql`drop trigger skip on shared_states`.execute(watcher);
    expect(await add(one, 'contested')).toBe(2);
  });

  it('should say within seconds that the database is away, and go on when it is back', async () => {
    lines = [];
    const [one, other] = [await open(), await open()];
    await add(one, 'away');
    let calls = 0;
    one.onChange('away', () => (calls += 1));
    await server.kill();
    const began = Date.now();
    const outcomes = await Promise.allSettled([add(one, 'away'), add(other, 'away'), one.read('away')]);
    expect(Date.now() - began).toBeLessThan(6_500);
    for (const outcome of outcomes) expect(outcome).toMatchObject({ reason: { code: 'STORE_UNAVAILABLE' } });
    const before = calls;
    await server.restart();
    await until(async () => (await seen(one, other)) && (await seen(other, one)));
    expect(await add(one, 'away')).toBe(2);
    await until(() => calls > before);
  });

  it('should not open where there is no database', async () => {
    const url = new URL(server.url);
    url.port = '1';
    await expect(PostgresSharedState.open(database.all, url.href, silent)).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
    });
  });
});
