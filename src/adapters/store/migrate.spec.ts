import { describe, expect, it } from '@jest/globals';
import { openPostgres } from './database.js';
import { migrate } from './migrate.js';

describe(migrate.name, () => {
  it('should say that the database is away, rather than that a migration failed', async () => {
    const database = openPostgres('postgres://dagi:secret@127.0.0.1:1/dagi', 1);
    try {
      await expect(migrate(database.db)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    } finally {
      await database.close();
    }
  });
});
