import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { afterAll, afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { GATE, RUN } from '../../test/factories/told-runs.js';
import { DagiClient } from './client.js';
import { inputsOf } from './crew-inputs.js';
import { CrewProgressPrinter, type ProgressStream } from './crew-progress.js';
import { followRun, rerun, startRun } from './crew-run.js';
import { CliError } from './failure.js';
import { buildProgram } from './program.js';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const NEVER_MS = 60_000;
const WAITING = { ...RUN, state: 'waiting_approval', result: null, gates: [GATE] };
const FAILED = { ...RUN, state: 'failed', result: null, error: { code: 'CREW_FAILED', message: 'No.', task: 'draft' } };

const progress = (task: string, state: string, tokens: number, waitsFor: string | null = null): object => ({
  ...{ task, agent: `${task}er`, state, tokens, waits_for: waitsFor },
});
const frame = (id: string, event: string, data: unknown): string =>
  `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
const json = (response: ServerResponse, body: unknown, status = 200): void =>
  void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));

describe('a run of a crew at the command line', () => {
  let server: Server;
  let client: DagiClient;
  let calls: string[];
  let stream: Answer;
  let start: Answer;
  let run: object;

  beforeEach(async () => {
    calls = [];
    run = RUN;
    stream = (_request, response) => response.end(frame('0-1', 'done', { ok: true }));
    start = (_request, response) => json(response, { ok: true, request_id: 'r1' }, 202);
    server = createServer((request, response) => {
      const { method = '', url = '' } = request;
      calls.push(`${method} ${url}`);
      if (method === 'POST') start(request, response);
      else if (url.startsWith('/crews/runs/')) json(response, run);
      else stream(request, response.writeHead(200, { 'content-type': 'text/event-stream' }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    client = new DagiClient({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, key: 'secret' });
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  describe(rerun, () => {
    it('sends from where, and the inputs that are others', async () => {
      let sent: unknown;
      start = (request, response) => {
        void textOf(request).then((body) => {
          sent = JSON.parse(body);
          json(response, { ok: true, request_id: 'r2' }, 202);
        });
      };
      const options = { from: 'judge', input: ['count=3'], as: 'tg:5' };
      await expect(rerun(client, 'r1', options)).resolves.toMatchObject({ id: 'r2' });
      expect([calls, sent]).toEqual([
        ['POST /crews/runs/r1/rerun'],
        { inputs: { count: 3 }, from: 'judge', user_id: 'tg:5' },
      ]);
    });
  });

  describe(startRun, () => {
    it('sends words and inputs, waits for nothing, and begins once though the first answer is lost', async () => {
      const sent: { body: unknown; key: unknown; prefer: unknown }[] = [];
      start = (request, response) => {
        const { 'idempotency-key': key, prefer } = request.headers;
        void textOf(request).then((body) => {
          sent.push({ body: JSON.parse(body), key, prefer });
          if (sent.length === 1) request.socket.destroy();
          else json(response, { ok: true, request_id: 'r1' }, 202);
        });
      };
      const options = { dao: 'orchard', as: 'tg:5', input: ['count=3'] };
      await expect(startRun(client, 'team', ['Make', 'it'], options)).resolves.toMatchObject({ id: 'r1' });
      expect(calls).toEqual(['POST /crews/team/runs', 'POST /crews/team/runs']);
      expect(sent[0]).toEqual({
        body: { inputs: { count: 3 }, text: 'Make it', dao_id: 'orchard', user_id: 'tg:5' },
        ...{ key: expect.stringMatching(/^[\w-]{36}$/), prefer: 'wait=0' },
      });
      expect(sent[1]).toEqual(sent[0]);
    });

    it('tells a refusal with what does not fit', async () => {
      const error = { code: 'CREW_INPUTS_INVALID', message: 'No.', problems: ['topic must be string'] };
      start = (_request, response) => json(response, { ok: false, error }, 400);
      await expect(startRun(client, 'team', [])).rejects.toMatchObject({ message: 'No. topic must be string' });
      expect(calls).toHaveLength(1);
    });
  });

  describe(followRun, () => {
    it('hears who works on what, over a stream that breaks off, and gives the run at its end', async () => {
      const heard: unknown[] = [];
      const resumed: unknown[] = [];
      stream = (request, response) => {
        resumed.push(request.headers['last-event-id']);
        if (resumed.length === 1) response.end(frame('0-1', 'crew', progress('draft', 'running', 0)));
        else response.end(frame('0-2', 'crew', progress('draft', 'completed', 7)) + frame('0-3', 'done', { ok: true }));
      };
      const hear = (event: { data: unknown }): unknown => heard.push(event.data);
      await expect(followRun(client, 'r1', { hear, as: 'tg:5' }, NEVER_MS)).resolves.toEqual(RUN);
      expect(heard).toMatchObject([{ state: 'running' }, { state: 'completed', tokens: 7 }, { ok: true }]);
      expect(resumed).toEqual([undefined, '0-1']);
      expect(new Set(calls)).toEqual(
        new Set(['GET /requests/r1/events?user_id=tg%3A5', 'GET /crews/runs/r1?user_id=tg%3A5']),
      );
    });

    it('leaves the stream where the run waits for people', async () => {
      run = WAITING;
      stream = (_request, response) =>
        void response.write(frame('0-1', 'crew', progress('draft', 'asking', 7, 'approval')));
      await expect(followRun(client, 'r1', { hear: () => undefined }, NEVER_MS)).resolves.toEqual(WAITING);
    });

    it('finds out that the run waits where the stream does not say so', async () => {
      run = WAITING;
      stream = (_request, response) => response.flushHeaders();
      await expect(followRun(client, 'r1', { hear: () => undefined }, 1)).resolves.toEqual(WAITING);
    });

    it('ends when the user has seen enough, and leaves the run alone', async () => {
      const leave = new AbortController();
      stream = (_request, response) => void response.write(frame('0-1', 'crew', progress('draft', 'running', 0)));
      const hear = (): void => {
        leave.abort();
      };
      await expect(followRun(client, 'r1', { hear, signal: leave.signal }, NEVER_MS)).rejects.toThrow('abort');
      expect(calls).toEqual(['GET /requests/r1/events']);
    });
  });

  describe('dagi crew run', () => {
    let out: string;
    let err: string;
    const former = { ...process.env };

    beforeEach(() => {
      [out, err] = ['', ''];
      Object.assign(process.env, { DAGI_URL: client.url, DAGI_API_KEY: 'secret' });
      jest.spyOn(process.stdout, 'write').mockImplementation((text) => ((out += String(text)), true));
      jest.spyOn(process.stderr, 'write').mockImplementation((text) => ((err += String(text)), true));
    });
    afterEach(() => {
      jest.restoreAllMocks();
      process.exitCode = undefined;
      for (const name of ['DAGI_URL', 'DAGI_API_KEY']) Reflect.deleteProperty(process.env, name);
      Object.assign(process.env, former);
    });

    const dagi = (...words: string[]): Promise<unknown> =>
      buildProgram().parseAsync(['crew', 'run', 'team', ...words], { from: 'user' });

    it('prints the result alone', async () => {
      await dagi('Make', 'it', '--input', 'a=1', '--input', 'b=x');
      expect(out).toBe('## Title\n\nA tale\n\n## Parts\n\n- one\n- two\n');
      expect(err).toContain('run r1\n');
    });

    it('prints the run as JSON', async () => {
      await dagi('--json');
      expect(JSON.parse(out)).toEqual(RUN);
    });

    it('prints what is asked, and how to decide it', async () => {
      run = WAITING;
      await dagi();
      expect(out).toMatch(/^asked: Shall it go out\?\n[\s\S]*npx dagi crew approve r1\n/);
    });

    it('fails as the run did; JSON has it all', async () => {
      run = FAILED;
      const message = 'No. It is task draft. See each task with "npx dagi crew show r1".';
      await expect(dagi()).rejects.toMatchObject({ code: 'CREW_FAILED', message });
      expect(out).toBe('');
      await expect(dagi('--json')).rejects.toMatchObject({ code: 'CREW_FAILED' });
      expect(JSON.parse(out)).toEqual(FAILED);
    });

    it('waits for nothing if so told', async () => {
      await dagi('--no-follow');
      expect(out).toBe('run r1 is under way; see it: npx dagi crew show r1\n');
      expect(calls).toEqual(['POST /crews/team/runs']);
    });

    it('leaves the run going at Ctrl-C, and says so', async () => {
      stream = (_request, response) => {
        response.flushHeaders();
        // As Node hears it from the terminal; nothing is sent to this process.
        process.emit('SIGINT');
      };
      await dagi();
      expect(err).toContain('The run goes on. See it: npx dagi crew show r1; end it: npx dagi crew cancel r1\n');
      expect(process.exitCode).toBe(130);
      expect(process.listenerCount('SIGINT')).toBe(0);
    });
  });
});

describe(inputsOf, () => {
  const folder = mkdtempSync(join(tmpdir(), 'dagi-test-inputs-'));
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const written = (text: string): string => {
    const file = join(folder, 'inputs.json');
    writeFileSync(file, text);
    return file;
  };

  it('takes JSON as JSON, else a text, and what is named before what the file says', () => {
    const input = ['a=3', 'b=x=y', 'c=["d"]', 'e="7"', 'f='];
    expect(inputsOf({ input, inputs: written('{"a":1,"z":2}') })).toEqual({
      ...{ a: 3, b: 'x=y', c: ['d'], e: '7', f: '', z: 2 },
    });
    expect(inputsOf({})).toEqual({});
  });

  it.each(['[1]', 'null', '{', ''])('takes no file that says %j', (text) => {
    expect(() => inputsOf({ inputs: written(text) })).toThrow(join(folder, 'inputs.json'));
  });

  it.each([{ input: ['seven'] }, { input: ['=7'] }, { inputs: '/nowhere/at/all' }])('refuses %j', (options) => {
    expect(() => inputsOf(options)).toThrow(CliError);
  });
});

describe(CrewProgressPrinter, () => {
  const printed = (stream: Partial<ProgressStream>): string => {
    let text = '';
    const write = (part: string): boolean => ((text += part), true);
    const printer = new CrewProgressPrinter({ ...stream, write } as ProgressStream);
    for (const [task, state, tokens] of [
      ...[['draft', 'running', 0] as const, ['judge', 'running', 0] as const],
      ...[['draft', 'completed', 1_000] as const, ['judge', 'fa\u001biled', 1_001] as const],
    ]) {
      printer.hear({ type: 'crew', data: progress(task, state, tokens) } as Parameters<typeof printer.hear>[0]);
    }
    printer.end();
    return text;
  };

  it('writes a line for each change', () => {
    expect(printed({ isTTY: false }).split('\n')).toEqual([
      'draft (drafter): running, 0 tokens',
      'judge (judgeer): running, 0 tokens',
      'draft (drafter): completed, 1,000 tokens',
      'judge (judgeer): failed, 1,001 tokens',
      '',
    ]);
  });

  it('writes no line that says what the one before of its task has said', () => {
    const lines: string[] = [];
    const write = (part: string): boolean => lines.push(part) > 0;
    const printer = new CrewProgressPrinter({ write } as ProgressStream);
    const hear = (task: string, tokens: number): void => {
      printer.hear({ type: 'crew', data: progress(task, 'running', tokens) } as Parameters<typeof printer.hear>[0]);
    };
    for (const [task, tokens] of Object.entries({ draft: 0, judge: 0 })) hear(task, tokens);
    hear('draft', 0);
    hear('draft', 7);
    expect(lines.map((line) => line.split(' ')[0])).toEqual(['draft', 'judge', 'draft']);
  });

  it('counts what turns are writing', () => {
    let text = '';
    const write = (part: string): boolean => ((text += part), true);
    const printer = new CrewProgressPrinter({ isTTY: true, columns: 80, write } as ProgressStream);
    const hear = (type: string, data: object): void => {
      printer.hear({ type, data } as Parameters<typeof printer.hear>[0]);
    };
    hear('crew', progress('draft', 'running', 100));
    hear('turn', { task: 'draft', tokens: 7 });
    hear('turn', { task: 'draft', tokens: 20 });
    hear('crew', progress('draft', 'running', 130));
    expect(text.split('\r\u001b[K').map((line) => line.split(';')[0])).toEqual([
      ...['', '100 tokens', '107 tokens', '120 tokens', '130 tokens'],
    ]);
  });

  it('writes over one line of a terminal, no wider than that', () => {
    expect(printed({ isTTY: true, columns: 40 }).split('\r\u001b[K')).toEqual([
      '',
      '0 tokens; drafter works on draft',
      '0 tokens; drafter works on draft, judge',
      '1,000 tokens; judgeer works on judge',
      '1,001 tokens; judge failed',
      '',
    ]);
    expect(printed({ isTTY: true, columns: 0 })).toContain('draft, judgeer works on judge');
  });
});
