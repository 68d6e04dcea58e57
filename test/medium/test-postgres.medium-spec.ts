import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { createDatabase, freshDatabase, TestPostgres } from '../support/postgres.js';

async function run(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

describe('PostgreSQL of the tests', () => {
  let server: TestPostgres;

  beforeAll(async () => {
    server = await TestPostgres.start();
  });

  afterAll(async () => {
    await server.stop();
  });

  it('should keep what was committed when it is killed and started again', async () => {
    const url = await createDatabase(server.url, 'killed');
    await run(url, 'create table row (id int)');
    for (let id = 0; id < 3; id += 1) {
      await run(url, `insert into row values (${id})`);
      await server.killAndRestart();
    }
    expect(await run(url, 'select id from row order by id')).toEqual([{ id: 0 }, { id: 1 }, { id: 2 }]);
  });

  it('should refuse connections while it is killed', async () => {
    await server.kill();
    await expect(run(server.url, 'select 1')).rejects.toThrow(/ECONNREFUSED/);
    await server.restart();
    expect(await run(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  it('should give each test a database of its own', async () => {
    const [first, second] = [await freshDatabase(), await freshDatabase()];
    await run(first.url, 'create table mine (id int)');
    await expect(run(second.url, 'select * from mine')).rejects.toThrow(/does not exist/);
    await first.drop();
    await second.drop();
  });
});
