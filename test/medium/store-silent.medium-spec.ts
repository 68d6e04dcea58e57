import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { openPostgres, type Database } from '../../src/adapters/store/database.js';
import { KeysRepository } from '../../src/adapters/store/keys.repository.js';
import { createDao } from '../factories/access.js';
import { freshDatabase } from '../support/postgres.js';

const AWAY = { name: 'AppError', code: 'STORE_UNAVAILABLE' };

describe('a PostgreSQL that falls silent', () => {
  /** Connections of the way to the database; once it is cut they stay open, and nothing comes through any more. */
  const pairs: [Socket, Socket][] = [];
  let proxy: Server;
  let database: Database;
  let drop: () => Promise<void>;

  beforeAll(async () => {
    const fresh = await freshDatabase();
    ({ drop } = fresh);
    const way = new URL(fresh.url);
    const target = { host: way.hostname, port: Number(way.port) };
    proxy = createServer((near) => {
      const far = connect(target);
      for (const side of [near, far]) side.on('error', () => undefined);
      near.pipe(far).pipe(near);
      pairs.push([near, far]);
    }).listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    way.port = String((proxy.address() as AddressInfo).port);
    database = openPostgres(way.href, { poolSize: 4 });
    await database.migrate();
  });

  afterAll(async () => {
    await database.close();
    for (const socket of pairs.flat()) socket.destroy();
    proxy.close();
    await drop();
  });

  it('should be told as such within the time limits, and its lost connections be given up', async () => {
    const keys = new KeysRepository(database);
    const opened = Array.from({ length: 4 }, () => [database.ping(), sql`select 1`.execute(database.all)]);
    await Promise.all(opened.flat());
    for (const [near, far] of pairs) near.unpipe(far).resume();
    const began = Date.now();
    const transaction = createDao(database);
    // One for each connection that they share: a lost one is found out when it is used.
    const vital = [database.ping(), database.ping(), keys.findActive('a'), keys.touch('b')];
    const outcomes = await Promise.allSettled([...vital, transaction]);
    expect(Date.now() - began).toBeLessThan(6_500);
    for (const outcome of outcomes) expect(outcome.status).toBe('rejected');
    for (const outcome of outcomes.slice(0, vital.length)) expect(outcome).toMatchObject({ reason: AWAY });

    const again = Date.now();
    await Promise.all(Array.from({ length: 4 }, () => database.ping()));
    expect(Date.now() - again).toBeLessThan(1_000);
  });
});
