import { AppError } from '../src/errors/app-error.js';
import { toApplicationFailure } from './failures.js';

/** Runs a statement; a database that is away becomes the failure that Temporal repeats. */
export async function storeFailure<T>(statement: () => Promise<T>): Promise<T> {
  try {
    return await statement();
  } catch (error) {
    if (error instanceof AppError && error.code === 'STORE_UNAVAILABLE') {
      throw toApplicationFailure({ type: 'StoreUnavailable', message: error.message });
    }
    throw error;
  }
}
