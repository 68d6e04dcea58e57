import type { ReportStream } from '../adapters/supply/reporter.js';
import type { RequestEvent } from '../contracts/events.js';
import { AnswerPrinter, describeTimings } from './answer-printer.js';
import { ask } from './ask.js';
import { DagiClient } from './client.js';
import { describeFailure } from './failure.js';
import type { Instance } from './instance.js';
import { plain } from './plain-text.js';

/** Where development begins, and somebody who may ask there. */
export const SEEDED = { dao: 'greenfood-dao', user: 'tg:12345' } as const;

const QUESTION = {
  prompt: 'In one or two sentences: what is this DAO about?',
  mode: 'chat',
  metadata: { dao_id: SEEDED.dao, user_id: SEEDED.user, source: 'cli' },
} as const;

/** Times of the caller, which begin before the connection does; those of the product begin when it has the request. */
const seenFromHere = (firstTokenMs: number | undefined, allMs: number): string =>
  `seen from here: ${firstTokenMs === undefined ? '' : `first token after ${Math.round(firstTokenMs)} ms, `}all of it after ${Math.round(allMs)} ms`;

/** Really asks a question, by the way that every client takes, and shows the answer as it comes. */
export async function askFirstQuestion(instance: Instance, out: ReportStream, signal: AbortSignal): Promise<void> {
  const client = new DagiClient(instance);
  out.write(`A first question, asked as ${SEEDED.user} of ${SEEDED.dao}:\n> ${QUESTION.prompt}\n`);
  const startedAt = performance.now();
  let firstTokenMs: number | undefined;
  const printer = new AnswerPrinter((text) => out.write(text));
  try {
    const hear = (event: RequestEvent): void => {
      if (event.type === 'token') firstTokenMs ??= performance.now() - startedAt;
      printer.hear(event);
    };
    const body = await ask(client, QUESTION, hear, signal);
    const seen = seenFromHere(firstTokenMs, performance.now() - startedAt);
    out.write(`  ${seen}\n  ${describeTimings(body)}\n  ${plain(body.workflow_id)}\n\n`);
  } catch (error) {
    if (signal.aborted) return;
    // The product runs: a model that cannot answer is told, and is no reason to stop.
    out.write(`\n  no answer: ${describeFailure(error, false)}\n\n`);
  }
}
