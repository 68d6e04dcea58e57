import { describe, expect, it } from '@jest/globals';
import { openPostgres } from './database.js';

describe('migrations', () => {
  it('should say that the database is away, rather than that a migration failed', async () => {
    const database = openPostgres('postgres://dagi:secret@127.0.0.1:1/dagi', { poolSize: 1 });
    try {
      await expect(database.migrate()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    } finally {
      await database.close();
    }
  });
});
