import { describe, expect, it } from '@jest/globals';
import { AppError } from '../errors/app-error.js';
import { nameDatabase } from './open-process.js';

const DATABASE_URL = 'postgres://dagi:hunter2@db.example.org:5433/dagi';

describe(nameDatabase.name, () => {
  it('should name the host of a database that is away, and never its password', () => {
    const named = nameDatabase(new AppError('STORE_UNAVAILABLE'), { DATABASE_URL });
    expect(named).toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringContaining('start db.example.org:5433 (DATABASE_URL)'),
    });
    expect(String(named)).not.toContain('hunter2');
  });

  it('should leave every other failure as it is', () => {
    const other = new Error('other');
    expect(nameDatabase(other, { DATABASE_URL })).toBe(other);
  });
});
