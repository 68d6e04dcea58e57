import type { TestCase } from '../../../contracts/devtools.js';
import { MOST_PARSED, testCase, type RawTest } from './report.js';
import { parsedRecord, recordOf } from '../foreign-json.js';

/** Longest report that is read, in characters: more of JSON would take too long in one go. */
export const MOST_JSON = 8 * 1_024 * 1_024;

const STATUS: Readonly<Record<string, TestCase['status']>> = { passed: 'passed', failed: 'failed' };

/**
 * Reads the JSON report of jest, which vitest writes too.
 * @param text the report; undefined, malformed or longer than `MOST_JSON`: no tests
 * @param fileOf a path of the sandbox, relative to the workspace
 * @returns a test for each, and a failed one for each file that could not be run at all
 */
export function parseJest(text: string | undefined, fileOf: (path: string) => string): TestCase[] {
  const files = listOf(parsed(text).testResults);
  return files.flatMap((file) => testsOf(recordOf(file), fileOf)).slice(0, MOST_PARSED);
}

function testsOf(result: Record<string, unknown>, fileOf: (path: string) => string): TestCase[] {
  const file = fileOf(textOf(result.name) ?? '');
  const tests = listOf(result.assertionResults).map((each) => testCase({ ...assertion(recordOf(each)), file }));
  if (result.status !== 'failed' || tests.some(({ status }) => status === 'failed')) return tests;
  // A file that could not be loaded has a message and no tests.
  const name = file || '(file of tests)';
  return [...tests, testCase({ name, file, status: 'failed', message: textOf(result.message) })];
}

function assertion(result: Record<string, unknown>): RawTest {
  const messages = listOf(result.failureMessages).map(textOf);
  return {
    name: textOf(result.fullName) ?? textOf(result.title) ?? '',
    status: STATUS[String(result.status)] ?? 'skipped',
    ms: typeof result.duration === 'number' ? result.duration : undefined,
    message: messages.filter((message) => message !== undefined).join('\n\n'),
  };
}

const parsed = (text: string | undefined): Record<string, unknown> =>
  (text !== undefined && text.length <= MOST_JSON && parsedRecord(text)) || {};

const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
