import { randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline/promises';
import { AnswerPrinter, describeTimings } from './answer-printer.js';
import { ask, type Question } from './ask.js';
import type { DagiClient } from './client.js';
import { describeFailure } from './failure.js';

export interface ChatOptions {
  dao?: string;
  as?: string;
}

/** `dagi chat "question"`: one answer, streamed; nothing else on standard output. */
export async function chatOnce(client: DagiClient, prompt: string, options: ChatOptions): Promise<void> {
  const printer = new AnswerPrinter((text) => process.stdout.write(text));
  await ask(client, toQuestion(prompt, options), printer.hear);
}

/** `dagi chat`: a conversation that keeps its session until it ends. */
export async function chatRepl(client: DagiClient, options: ChatOptions): Promise<void> {
  const { stdin: input, stdout: output } = process;
  const session = `cli-${randomUUID()}`;
  const lines = createInterface({ input, output, prompt: 'you> ' });
  output.write(`Talking to ${client.url}. /exit or Ctrl-D ends it, Ctrl-C stops an answer.\n`);
  let stop: AbortController | undefined;
  lines.on('SIGINT', () => (stop ? stop.abort() : lines.close()));
  // A pipe may have ended while lines of it are still to be answered.
  let ended = false;
  lines.on('close', () => (ended = true));
  lines.prompt();
  for await (const line of lines) {
    const prompt = line.trim();
    if (prompt === '/exit' || prompt === '/quit') break;
    if (prompt !== '') {
      stop = new AbortController();
      await answer(client, toQuestion(prompt, options, session), stop.signal);
      stop = undefined;
    }
    if (!ended) lines.prompt();
  }
  lines.close();
}

/** A failure ends an answer, not the conversation. */
async function answer(client: DagiClient, question: Question, signal: AbortSignal): Promise<void> {
  const printer = new AnswerPrinter((text) => process.stdout.write(text));
  let requestId: string | undefined;
  try {
    const body = await ask(
      client,
      question,
      (event) => {
        if (event.type === 'route') requestId = event.data.request_id;
        printer.hear(event);
      },
      signal,
    );
    process.stdout.write(`     ${describeTimings(body)}\n`);
  } catch (error) {
    if (!signal.aborted) process.stderr.write(`${describeFailure(error, false)}\n`);
    else await cancel(client, requestId);
  }
}

/** Leaving is not enough: the request is durable, and would be answered for nobody. */
async function cancel(client: DagiClient, requestId: string | undefined): Promise<void> {
  process.stdout.write('\n[stopped]\n');
  if (requestId !== undefined) await client.json('DELETE', `/requests/${requestId}`).catch(() => undefined);
}

function toQuestion(prompt: string, { dao, as }: ChatOptions, session?: string): Question {
  return {
    prompt,
    mode: 'chat',
    metadata: {
      source: 'cli',
      ...(dao === undefined ? {} : { dao_id: dao }),
      ...(as === undefined ? {} : { user_id: as }),
      ...(session === undefined ? {} : { session_id: session }),
    },
  };
}
