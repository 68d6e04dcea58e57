import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { DagiClient } from './client.js';
import { dollars, shortTime } from './duration.js';
import { toCliError } from './error-answer.js';
import { CliError } from './failure.js';
import { plain } from './plain-text.js';
import { sideBySide, type Column } from './side-by-side.js';
import type { TrialOffer } from './whatif-answer.js';
import { understood } from './understood.js';

const LOOK_EVERY_MS = 500;
/** A trial has the deadline of any request; this is for an instance that goes away, in milliseconds. */
const LONGEST_MS = 15 * 60_000;

const StartedSchema = z.looseObject({ request_id: z.string() });
const BodySchema = z.looseObject({
  ok: z.boolean(),
  status: z.string(),
  provider: z.string().nullish(),
  data: z.looseObject({ text: z.string() }).nullish(),
  usage: z
    .looseObject({ prompt_tokens: z.number(), completion_tokens: z.number(), cost_usd: z.number().optional() })
    .nullish(),
  timings_ms: z.looseObject({ total: z.number().optional(), llm: z.number().optional() }).optional(),
  error: z.looseObject({ code: z.string(), message: z.string() }).optional(),
});
type Body = z.infer<typeof BodySchema>;

/** A recorded request beside what another provider made of it. */
export interface Trial {
  offer: TrialOffer;
  /** Absent: the running profile has no such provider. */
  before?: Body;
  after?: Body;
}

/**
 * Sees to it that nobody's words go to a provider that has not seen that DAO's before, unless somebody wants it.
 * @throws CliError `CONSENT_NEEDED`
 */
export function requireConsent(offers: readonly TrialOffer[], given: boolean): void {
  const fresh = offers.filter(({ runnable, is_new }) => runnable && is_new);
  if (given || fresh.length === 0) return;
  const pairs = new Set(fresh.map(({ provider, dao_id }) => `${provider} has never answered a request of ${dao_id}`));
  throw new CliError(
    'CONSENT_NEEDED',
    `Nothing was asked: ${[...pairs].join(', ')}, and would get prompts of it. Say --yes if it may.`,
  );
}

/** Tries one offer: asks the instance, waits for the answer, and fetches the recorded one beside it. */
export async function tryOffer(client: DagiClient, offer: TrialOffer): Promise<Trial> {
  if (!offer.runnable) return { offer };
  const before = await fetchBody(client, offer.request_id);
  const body = { request_id: offer.request_id, provider: offer.provider };
  const answer = await client.call('POST', '/routing/whatif/trials', { body });
  // One that was not accepted (a full queue, say) keeps no other from being tried.
  if (answer.status >= 400) return { offer, before, after: refused(toCliError(answer)) };
  const { request_id: id } = understood(StartedSchema, answer.body);
  for (const giveUpAt = Date.now() + LONGEST_MS; Date.now() < giveUpAt;) {
    await sleep(LOOK_EVERY_MS);
    const after = await fetchBody(client, id);
    if (['completed', 'failed', 'cancelled'].includes(after.status)) return { offer, before, after };
  }
  throw new CliError('DEADLINE_EXCEEDED', `Request ${id} has not ended; see it with GET /requests/${id}.`);
}

const refused = ({ code, message }: CliError): Body => ({ ok: false, status: 'refused', error: { code, message } });

/** A request that failed answers with its error's status, and its body all the same. */
async function fetchBody(client: DagiClient, id: string): Promise<Body> {
  return understood(BodySchema, (await client.call('GET', `/requests/${encodeURIComponent(id)}`)).body);
}

/** A trial for people. */
export function printTrial({ offer, before, after }: Trial, width: number): string {
  const title = `── ${offer.request_id} of ${offer.dao_id} `;
  const line = title.padEnd(Math.min(width, 100), '─');
  if (!before || !after) {
    return plain(`${line}\nnot runnable here: add ${offer.provider} to the running profile\n`);
  }
  return plain(`${line}\n${sideBySide(columnOf('recorded', before), columnOf('what if', after), width)}`);
}

function columnOf(title: string, body: Body): Column {
  const { usage, timings_ms: timings, error } = body;
  const figures = [
    shortTime(timings?.llm ?? timings?.total ?? 0),
    ...(usage ? [`${usage.prompt_tokens} + ${usage.completion_tokens} tokens`] : []),
    ...(usage?.cost_usd === undefined ? [] : [dollars(usage.cost_usd)]),
  ];
  return {
    heading: [`${title}: ${body.provider ?? 'no provider'}`, figures.join(' · ')],
    text: error ? `${error.code}: ${error.message}` : (body.data?.text ?? '(no answer)'),
  };
}
