import { beforeEach, describe, expect, it } from '@jest/globals';
import type { RequestBody } from '../contracts/bodies.js';
import type { RequestEvent } from '../contracts/events.js';
import type { Origin } from '../contracts/request.js';
import { AnswerPrinter, describeTimings, terminalStatus } from './answer-printer.js';

const body = (changes: { provider?: string | null; origin?: Origin | null } = {}): RequestBody =>
  ({
    ok: true,
    mode: 'chat',
    provider: 'embedded',
    origin: { step: 'provider' },
    data: { text: 'Seven days.', finish_reason: 'stop' },
    timings_ms: { gateway: 3, queue: 2, llm: 790, total: 812 },
    ...changes,
  }) as RequestBody;

describe('AnswerPrinter', () => {
  let written: string;
  let status: string[];
  let printer: AnswerPrinter;

  beforeEach(() => {
    [written, status] = ['', []];
    printer = new AnswerPrinter(
      (text) => (written += text),
      (text) => status.push(text),
    );
  });

  const queue = (position: number, expected_wait_ms: number): RequestEvent => ({
    type: 'queue',
    data: { provider: 'ollama', position, expected_wait_ms },
  });
  const attempt: RequestEvent = { type: 'attempt', data: { provider: 'ollama', generation: 1 } };
  const token = (text: string): RequestEvent => ({ type: 'token', data: { text } });

  it('should write texts as they come, and end the line', () => {
    for (const event of [attempt, token('Seven '), token('days.')]) printer.hear(event);
    printer.hear({ type: 'done', data: body() });
    expect([written, status]).toEqual(['Seven days.\n', []]);
  });

  it('should tell where a request waits, beside the answer, until its turn comes', () => {
    for (const event of [queue(3, 4_200), queue(2, 2_000), queue(1, 20), attempt, token('x')]) printer.hear(event);
    expect(status).toEqual([
      'waiting: place 3, about 4 s',
      'waiting: place 2, about 2 s',
      'waiting: place 1, about 1 s',
      '',
    ]);
    expect(written).toBe('x');
  });

  it('should clear the line when the request ends while it waits', () => {
    printer.hear(queue(3, 4_000));
    printer.hear({ type: 'error', data: { ...body(), ok: false, error: { code: 'QUEUE_FULL', message: 'm' } } });
    expect([status.at(-1), written]).toEqual(['', '\n']);
  });

  it('should not write over text that stands in the line', () => {
    for (const event of [attempt, token('half'), queue(1, 900), attempt, token('whole')]) printer.hear(event);
    expect(status).toEqual([]);
    expect(written).toBe('half\n[interrupted; answering again]\nwhole');
  });

  it('should take an answer from the record where no token came', () => {
    printer.hear({ type: 'done', data: body() });
    expect(written).toBe('Seven days.\n');
  });

  describe('of a tool', () => {
    const done = (data: object): RequestEvent => {
      const parts = { mode: 'devtools', provider: null, origin: { step: 'tool' }, data };
      return { type: 'done', data: { ...body(), ...parts } as RequestBody };
    };

    it('should write what it gave as JSON', () => {
      printer.hear(done({ path: 'a.txt', size: 6 }));
      expect(written).toBe('{\n  "path": "a.txt",\n  "size": 6\n}\n');
    });

    it('should write what its program prints while it runs, and then what it gave', () => {
      printer.hear({ type: 'output', data: { stream: 'stdout', text: 'ok 1\n' } });
      printer.hear({ type: 'output', data: { stream: 'stderr', text: 'warning\n' } });
      expect(written).toBe('ok 1\nwarning\n');
      printer.hear(done({ passed: 1 }));
      expect(written).toBe('ok 1\nwarning\n{\n  "passed": 1\n}\n');
    });

    it('should hand nothing to the terminal that moves it', () => {
      printer.hear({ type: 'output', data: { stream: 'stdout', text: '\x1b[2Jred' } });
      printer.hear(done({ content: '\x1b]0;title\x07' }));
      expect(written).not.toContain('\x1b');
    });
  });
});

describe('terminalStatus', () => {
  it('should write over its line on a terminal, and be silent elsewhere', () => {
    const lines: string[] = [];
    const stream = (isTTY: boolean) => ({ isTTY, write: (text: string | Uint8Array) => lines.push(String(text)) > 0 });
    terminalStatus(stream(true))('waiting');
    terminalStatus(stream(false))('unseen');
    expect(lines).toEqual(['\r\x1b[Kwaiting']);
  });
});

describe('describeTimings', () => {
  it.each<[string, RequestBody]>([
    ['embedded', body()],
    ['database', body({ provider: null, origin: { step: 'database' } })],
    ['cache, 45 s old', body({ provider: null, origin: { step: 'cache', age_ms: 45_200 } })],
    ['cache, 3 min old', body({ provider: null, origin: { step: 'cache', age_ms: 179_000 } })],
    ['no provider', body({ provider: null, origin: null })],
  ])('should name who answered: %s', (source, answered) => {
    expect(describeTimings(answered)).toBe(`${source} · 812 ms in the product (gateway 3, queue 2, llm 790)`);
  });
});
