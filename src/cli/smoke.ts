import { randomUUID } from 'node:crypto';
import { chatDataOf } from '../contracts/bodies.js';
import type { Answer, DagiClient } from './client.js';
import { ask, type Question } from './ask.js';
import { table } from './table.js';

/** One check: its name and what it does; it throws the reason when it fails, and may give a remark. */
interface Check {
  name: string;
  run(client: DagiClient): Promise<string | undefined>;
}

const chat = (prompt: string, metadata: object = {}): Question => ({
  prompt,
  mode: 'chat',
  metadata: { source: 'smoke', ...metadata },
});

const CHECKS: readonly Check[] = [
  { name: 'is alive', run: (client) => expectStatus(client.call('GET', '/health', { anonymous: true }), 200) },
  { name: 'is ready', run: (client) => expectStatus(client.call('GET', '/ready', { anonymous: true }), 200) },
  {
    name: 'describes itself (OpenAPI)',
    run: (client) => expectStatus(client.call('GET', '/openapi.json', { anonymous: true }), 200),
  },
  {
    name: 'refuses a caller without a key',
    run: (client) =>
      expectError(client.call('POST', '/route', { body: chat('Hello'), anonymous: true }), 401, 'UNAUTHENTICATED'),
  },
  {
    name: 'refuses bad JSON',
    run: (client) => expectError(client.call('POST', '/route', { body: '{"prompt":' }), 400, 'BAD_JSON'),
  },
  {
    name: 'refuses an empty prompt',
    run: (client) => expectError(client.call('POST', '/route', { body: chat('') }), 400, 'BODY_INVALID'),
  },
  { name: 'answers a chat, streaming', run: checkChat },
  { name: 'gives the same answer to the same Idempotency-Key', run: checkIdempotency },
];

/** `dagi smoke`: a handful of checks against a running instance. Gives whether all passed. */
export async function smoke(client: DagiClient, write: (text: string) => void): Promise<boolean> {
  const rows: string[][] = [];
  for (const check of CHECKS) {
    const startedAt = performance.now();
    const outcome = await check.run(client).then(
      (remark) => ['✓', remark ?? ''],
      (error: unknown) => ['✗', error instanceof Error ? error.message : String(error)],
    );
    const [mark = '', remark = ''] = outcome;
    rows.push([mark, check.name, `${Math.round(performance.now() - startedAt)} ms`, remark]);
  }
  const failed = rows.filter(([mark]) => mark === '✗').length;
  write(table(['', 'check', 'time', 'remark'], rows));
  write(`${rows.length - failed} passed, ${failed} failed\n`);
  return failed === 0;
}

async function expectStatus(answer: Promise<Answer>, status: number): Promise<undefined> {
  const found = await answer;
  if (found.status !== status) throw new Error(`HTTP ${found.status} instead of ${status}${codeOf(found, ' ')}`);
}

async function expectError(answer: Promise<Answer>, status: number, code: string): Promise<undefined> {
  const found = await answer;
  await expectStatus(Promise.resolve(found), status);
  if (codeOf(found) !== code) throw new Error(`${codeOf(found) || 'no code'} instead of ${code}`);
}

function codeOf({ body }: Answer, before = ''): string {
  const code = (body as { error?: { code?: unknown } } | null)?.error?.code;
  return typeof code === 'string' ? before + code : '';
}

async function checkChat(client: DagiClient): Promise<string> {
  const startedAt = performance.now();
  let firstTokenMs: number | undefined;
  const body = await ask(client, chat('Say hello in one short sentence.'), ({ type }) => {
    if (type === 'token') firstTokenMs ??= performance.now() - startedAt;
  });
  const text = chatDataOf(body)?.text;
  if (!body.ok || !text) throw new Error('the answer is empty');
  const { status, body: again } = await client.call('GET', `/requests/${body.request_id}`);
  const recorded = (again as { data?: { text?: unknown } } | null)?.data?.text;
  if (status !== 200 || recorded !== text) throw new Error('the recorded answer is not the streamed one');
  return `${body.provider ?? ''}, first token after ${Math.round(firstTokenMs ?? 0)} ms`;
}

async function checkIdempotency(client: DagiClient): Promise<undefined> {
  const headers = { 'idempotency-key': `smoke-${randomUUID()}` };
  const body = chat('Say goodbye in one short sentence.');
  const answers = await Promise.all([1, 2].map(() => client.json('POST', '/route', { body, headers })));
  const ids = answers.map((answer) => (answer as { request_id?: unknown }).request_id);
  if (ids[0] === undefined || ids[0] !== ids[1]) throw new Error('two requests were made of one');
}
