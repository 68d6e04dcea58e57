import { AppError } from '../errors/app-error.js';

/** The versions that a change was made for; undefined: whatever is there. */
export type Expected = readonly string[] | undefined;

/**
 * Refuses a change that was made for what is no longer there.
 * @param current the version as it is, read where nobody else can change it
 * @throws AppError `VERSION_CHANGED` with the version as it is
 */
export function requireVersion(current: string, expected: Expected): void {
  if (expected && !expected.includes(current)) throw new AppError('VERSION_CHANGED', undefined, { version: current });
}
