import type { TestCase } from '../../../contracts/devtools.js';
import { MOST_PARSED, testCase } from './report.js';

/** One line of `go test -json`. */
interface GoEvent {
  Action: string;
  Package?: string;
  ImportPath?: string;
  Test?: string;
  Elapsed?: number;
  Output?: string;
  FailedBuild?: string;
}

interface Running {
  name: string;
  /** Package of a test. */
  within?: string | undefined;
  output: string;
  ms?: number | undefined;
  status?: TestCase['status'];
}

const ENDED: Readonly<Record<string, TestCase['status']>> = { pass: 'passed', fail: 'failed', skip: 'skipped' };
const KEPT_CHARS = 16_384;

/**
 * Reads what `go test -json` prints. A test that began and did not end has failed; so has a package that could not be
 * built, or that failed by none of its tests.
 */
export function parseGo(text: string): TestCase[] {
  const report = new GoReport();
  for (const line of text.split('\n')) {
    const event = goEvent(line);
    if (event) report.take(event);
  }
  return report.tests();
}

/** What people read in the output of `go test -json`; a line that is no event stands as it is. */
export function goText(line: string): string {
  const event = goEvent(line);
  return event ? (event.Output ?? '') : `${line}\n`;
}

class GoReport {
  private readonly running = new Map<string, Running>();
  private readonly packages = new Map<string, Running>();

  take({ Action: action, Package: name, ImportPath: path, Test: test, ...event }: GoEvent): void {
    const wanted = test === undefined ? this.entry(this.packages, name ?? path ?? '') : this.test(name, test);
    if (!wanted) return;
    const status = ENDED[action];
    if (event.Output !== undefined) wanted.output = (wanted.output + event.Output).slice(-KEPT_CHARS);
    if (!status) return;
    wanted.status = status;
    wanted.ms = event.Elapsed === undefined ? undefined : event.Elapsed * 1_000;
    // Its complaints are with the build, under a name of its own.
    if (event.FailedBuild) wanted.output = this.packages.get(event.FailedBuild)?.output ?? wanted.output;
  }

  tests(): TestCase[] {
    const tests = [...this.running.values()].map(caseOf);
    const told = new Set([...this.running.values()].filter(hasFailed).map(({ within }) => within));
    const failedAlone = [...this.packages.values()].filter(
      ({ name, status }) => status === 'failed' && !told.has(name),
    );
    return [...tests, ...failedAlone.map(caseOf)];
  }

  private test(within: string | undefined, test: string): Running | undefined {
    const entry = this.entry(this.running, within === undefined ? test : `${within}.${test}`);
    if (entry) entry.within = within;
    return entry;
  }

  private entry(map: Map<string, Running>, name: string): Running | undefined {
    const known = map.get(name);
    if (known || map.size >= MOST_PARSED) return known;
    const entry: Running = { name, output: '' };
    map.set(name, entry);
    return entry;
  }
}

/** Whether a test failed, or began and did not end. */
const hasFailed = ({ status }: Running): boolean => status !== 'passed' && status !== 'skipped';

function caseOf({ name, output, ms, status }: Running): TestCase {
  const message = output.replace(/^\s*(=== (RUN|PAUSE|CONT|NAME)|FAIL\b).*\n?/gm, '');
  if (status !== undefined) return testCase({ name, status, ms, message });
  return testCase({ name, status: 'failed', message: `It did not end.\n${message}` });
}

function goEvent(line: string): GoEvent | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const event = JSON.parse(line) as Partial<GoEvent>;
    return typeof event.Action === 'string' ? (event as GoEvent) : undefined;
  } catch {
    return undefined;
  }
}
