import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { Writable } from 'node:stream';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { pino } from 'pino';
import { RequestCounter } from '../../src/adapters/limits/request-counter.js';
import { openPostgres, type Database } from '../../src/adapters/store/database.js';
import { UsageRepository } from '../../src/adapters/store/usage.repository.js';
import type { LimitRules } from '../../src/domain/limits.js';
import { LimitsService } from '../../src/services/limits.service.js';
import { freshDatabase } from '../support/postgres.js';

const QUOTA = 10;

/** The way to a server, which can be cut (connections stay open and silent) and mended. */
class Way {
  private readonly pairs: [Socket, Socket][] = [];
  private cut = false;

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async to(target: string): Promise<Way> {
    const url = new URL(target);
    const address = { host: url.hostname, port: Number(url.port) };
    const server = createServer((near) => {
      way.join(near, connect(address));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    url.port = String((server.address() as AddressInfo).port);
    const way = new Way(server, url.href);
    return way;
  }

  silence(): void {
    this.cut = true;
    for (const [near, far] of this.pairs) near.unpipe(far).resume();
  }

  mend(): void {
    this.cut = false;
    this.dropAll();
  }

  close(): void {
    this.dropAll();
    this.server.close();
  }

  private join(near: Socket, far: Socket): void {
    for (const side of [near, far]) side.on('error', () => undefined);
    if (this.cut) near.resume();
    else near.pipe(far).pipe(near);
    this.pairs.push([near, far]);
  }

  private dropAll(): void {
    for (const socket of this.pairs.splice(0).flat()) socket.destroy();
  }
}

describe('limits that processes share', () => {
  let database: Database;
  let url: string;
  let drop: () => Promise<void>;
  let lines: string[];
  let counters: RequestCounter[];

  beforeAll(async () => {
    ({ url, drop } = await freshDatabase());
    database = openPostgres(url, { poolSize: 2 });
    await database.migrate();
  });
  afterAll(async () => {
    await database.close();
    await drop();
  });
  beforeEach(() => {
    lines = [];
    counters = [];
  });
  afterEach(async () => {
    await Promise.all(counters.map((counter) => counter.close()));
  });

  const log = pino(
    new Writable({
      write: (line: Buffer, _encoding, done) => {
        lines.push(String(line));
        done();
      },
    }),
  );

  /** The counter of a process. */
  function process(at = url): RequestCounter {
    const counter = RequestCounter.inPostgres(at, log);
    counters.push(counter);
    return counter;
  }

  const allowedOf = async (taken: ReturnType<RequestCounter['take']>[]): Promise<number> =>
    (await Promise.all(taken)).filter(({ allowed }) => allowed).length;

  it('should let in as many as the quota says, of all processes together', async () => {
    const [one, other] = [process(), process()];
    const taken = Array.from({ length: 40 }, (_, index) => (index % 2 ? one : other).take('together', QUOTA));
    expect(await allowedOf(taken)).toBe(QUOTA);
    const late = await process().take('together', QUOTA);
    expect(late).toMatchObject({ allowed: false, remaining: 0 });
    expect(late.resetMs).toBeGreaterThan(0);
    expect(late.resetMs).toBeLessThanOrEqual(60_000);
    expect(lines).toEqual([]);
  });

  it('should take back for all what one process takes back', async () => {
    const [one, other] = [process(), process()];
    const first = await one.take('undone', 1);
    expect(first.allowed).toBe(true);
    await first.undo();
    expect((await other.take('undone', 1)).allowed).toBe(true);
    expect((await one.take('undone', 1)).allowed).toBe(false);
  });

  it('should begin again when the window has ended', async () => {
    const counter = process();
    await counter.take('ended', 1);
    expect((await counter.take('ended', 1)).allowed).toBe(false);
    await sql`update rate_limits set expire = ${Date.now() - 1} where key = 'ended'`.execute(database.all);
    expect(await counter.take('ended', 1)).toMatchObject({ allowed: true, remaining: 0 });
  });

  it('should take names of any length, and keep its counts out of the server’s log', async () => {
    const counter = process();
    const long = `dao:${'ш'.repeat(256)}`;
    expect((await counter.take(long, 1)).allowed).toBe(true);
    expect((await process().take(long, 1)).allowed).toBe(false);
    expect(lines).toEqual([]);
    const { rows } = await sql`select relpersistence from pg_class where relname = 'rate_limits'`.execute(database.all);
    expect(rows).toEqual([{ relpersistence: 'u' }]);
  });

  it('should hold in each process alone while the database is silent, and make nobody wait', async () => {
    const way = await Way.to(url);
    const [cut, whole] = [process(way.url), process()];
    try {
      expect((await cut.take('silent', QUOTA)).remaining).toBe(QUOTA - 1);
      way.silence();
      const began = Date.now();
      expect(await allowedOf(Array.from({ length: 100 }, () => cut.take('silent', QUOTA)))).toBe(QUOTA);
      expect(Date.now() - began).toBeLessThan(1_500);
      const again = Date.now();
      expect(await allowedOf(Array.from({ length: 100 }, () => cut.take('other', QUOTA)))).toBe(QUOTA);
      expect(Date.now() - again).toBeLessThan(400);
      expect(lines.length).toBe(1);
      expect((await whole.take('silent', QUOTA)).remaining).toBe(QUOTA - 2);

      way.mend();
      const seen = await untilShared(() => cut.take('mended', 1_000), whole);
      expect(seen).toBe(true);
    } finally {
      way.close();
    }
  });

  it('should go on in memory, and say why, where the database refuses', async () => {
    const counter = process(url.replace(/\/[^/]*$/, '/no_such_database'));
    expect(await allowedOf(Array.from({ length: 30 }, () => counter.take('refused', QUOTA)))).toBe(QUOTA);
    expect(lines.join()).toContain('no_such_database');
    expect(lines.length).toBe(1);
  });

  it('should refuse in one process what another has used up, with the tokens of the database', async () => {
    const rules: LimitRules = {
      requestsPerMinute: { key: 2 },
      tokensPerMonth: {},
      daos: { 'greenfood-dao': { tokensPerMonth: 50 } },
    };
    const service = (): LimitsService => new LimitsService(process(), new UsageRepository(database), () => rules, log);
    const [one, other] = [service(), service()];
    await one.admit('k', 'elsewhere');
    await other.admit('k', 'elsewhere');
    await expect(one.admit('k', 'elsewhere')).rejects.toMatchObject({ code: 'RATE_LIMITED' });
    await sql`insert into daos (id, name) values ('greenfood-dao', 'GreenFood DAO')`.execute(database.all);
    await sql`
      insert into usage_daily (dao_id, day, provider, key_id, completion_tokens)
      values ('greenfood-dao', (now() at time zone 'utc')::date, 'fake', 'anybody', 50)
    `.execute(database.all);
    await expect(other.admit('new', 'greenfood-dao')).rejects.toMatchObject({ code: 'BUDGET_EXHAUSTED' });
    expect(await one.admit('new', 'elsewhere')).toMatchObject([{ remaining: 1 }]);
  });

  /** Whether what `take` counts is seen by another process, within five seconds. */
  async function untilShared(take: () => ReturnType<RequestCounter['take']>, other: RequestCounter): Promise<boolean> {
    for (const giveUpAt = Date.now() + 5_000; Date.now() < giveUpAt;) {
      await take();
      const { rows } = await sql`select 1 from rate_limits where key = 'mended'`.execute(database.all);
      if (rows.length > 0) return (await other.take('mended', 1_000)).remaining < 999;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return false;
  }
});
