import type { TestCase } from '../../../contracts/devtools.js';
import { endOf, startOf } from '../tool-run.js';

/** Most tests of one report that are looked at. */
export const MOST_PARSED = 50_000;
const MESSAGE_BYTES = 4_096;
const NAME_BYTES = 1_000;

/** A test as a report tells it; nothing of it is bounded yet. */
export interface RawTest {
  name: string;
  file?: string | undefined;
  status: TestCase['status'];
  ms?: number | undefined;
  message?: string | undefined;
}

/** A test within bounds, without fields that are not known. */
export function testCase({ name, file, status, ms, message }: RawTest): TestCase {
  const told = message === undefined ? '' : withoutColours(message).trim();
  return {
    name: startOf(withoutColours(name), NAME_BYTES) || '(no name)',
    ...(file !== undefined && file !== '' && { file: startOf(file, NAME_BYTES) }),
    status,
    ...(ms !== undefined && Number.isFinite(ms) && ms >= 0 && { ms: Math.round(ms) }),
    ...(status === 'failed' && told !== '' && { message: bounded(told) }),
  };
}

/** The beginning and the end of a message: both tell more than its middle. */
function bounded(message: string): string {
  if (Buffer.byteLength(message) <= MESSAGE_BYTES) return message;
  const half = MESSAGE_BYTES / 2 - 8;
  return `${startOf(message, half)}\n[…]\n${endOf(message, half)}`;
}

/** A text without what colours it on a terminal, and without other control characters. */
export function withoutColours(text: string): string {
  return text.replace(/\x1b\[[0-9;?]*[ -/]*[@-~]/g, '').replace(/[\x00-\x08\x0b-\x1f\x7f]/g, '');
}
