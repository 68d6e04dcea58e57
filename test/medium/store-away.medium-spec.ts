import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AccessRepository } from '../../src/adapters/store/access.repository.js';
import { DaosRepository } from '../../src/adapters/store/daos.repository.js';
import { openPostgres, type Database } from '../../src/adapters/store/database.js';
import { KeysRepository } from '../../src/adapters/store/keys.repository.js';
import { RequestsRepository } from '../../src/adapters/store/requests.repository.js';
import { createDao } from '../factories/access.js';
import { aClaim, aRequest, anAnswer } from '../factories/requests.js';
import { createDatabase, TestPostgres } from '../support/postgres.js';

const AWAY = { name: 'AppError', code: 'STORE_UNAVAILABLE' };

describe('a PostgreSQL that goes away', () => {
  let server: TestPostgres;
  let database: Database;
  let requests: RequestsRepository;

  beforeAll(async () => {
    server = await TestPostgres.start();
    database = openPostgres(await createDatabase(server.url, 'away'));
    await database.migrate();
    await createDao(database);
    requests = new RequestsRepository(database);
  });

  afterAll(async () => {
    await database.close();
    await server.stop();
  });

  it('should be told as such by every repository, soon, and be well again after its restart', async () => {
    const request = aRequest();
    await requests.accept(request);
    await requests.claim(request.id, request.daoId, aClaim());
    await server.kill();
    const began = Date.now();
    const calls = [
      database.ping(),
      new DaosRepository(database).find(request.daoId),
      requests.find(request.id, request.daoId),
      requests.accept(aRequest()),
      requests.recordAnswer(request.id, request.daoId, anAnswer()),
      new AccessRepository(database).byUser(request.daoId, 'tg:1'),
      new KeysRepository(database).findActive('hash'),
    ];
    const outcomes = await Promise.allSettled(calls);
    expect(Date.now() - began).toBeLessThan(2_000);
    for (const outcome of outcomes) expect(outcome).toMatchObject({ status: 'rejected', reason: AWAY });

    await server.restart();
    expect(await requests.find(request.id, request.daoId)).toMatchObject({ status: 'running' });
    expect(await requests.recordAnswer(request.id, request.daoId, anAnswer())).toBe(true);
  });

  it('should fail the statements that were running when it was killed', async () => {
    const slow = Array.from({ length: 4 }, () => requests.accept(aRequest({ prompt: 'x'.repeat(5_000_000) })));
    const settled = Promise.allSettled(slow);
    await server.killAndRestart();
    for (const outcome of await settled) {
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject(AWAY);
    }
    await database.ping();
  });

  it('should not take a wrong statement for an absent database', async () => {
    const request = aRequest({ daoId: 'no-dao' });
    await expect(requests.accept(request)).rejects.toThrow(/foreign key/);
    await expect(requests.accept(request)).rejects.not.toMatchObject(AWAY);
  });
});
