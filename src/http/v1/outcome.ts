import { chatDataOf, type ChatData, type RequestBody } from '../../contracts/bodies.js';
import type { CrewProgress } from '../../contracts/crew-steps.js';
import type { Usage } from '../../contracts/request.js';
import { AppError } from '../../errors/app-error.js';
import { crewWords } from '../../services/crew-words.js';

/** A request that ended without an answer, or broke off after it had begun to be told. */
export class Unanswered extends Error {
  constructor(readonly error: AppError) {
    super(error.message);
  }
}

/** An answer as it is recorded. */
export interface Answer {
  data: ChatData;
  usage: Usage | null;
}

const saidOf = (text: string): ChatData => ({ text, finish_reason: 'stop' });

/** What a crew's agent does, as it is told while others wait. */
export const progressWords = ({ task, agent, state, tokens }: CrewProgress): string =>
  `${agent} on ${task}: ${state.replaceAll('_', ' ')} (${tokens} tokens so far)\n`;

/** The answer of a crew that is not waited for any more. */
export const pausedAnswer = (runId: string): Answer => ({
  data: saidOf(
    `The crew is not done yet: it goes on by itself, or waits for a person. GET /crews/runs/${runId} tells which, and where to decide.`,
  ),
  usage: null,
});

/** @throws Unanswered where there is none */
export function answerOf(body: RequestBody): Answer {
  if (!body.ok) throw new Unanswered(AppError.recorded(body.error));
  const data = body.mode === 'crew' && body.data ? saidOf(crewWords(body.data)) : chatDataOf(body);
  if (data) return { data, usage: body.usage };
  // It goes on, but not for whoever waits here: this process is stopping.
  throw new Unanswered(new AppError('SHUTTING_DOWN'));
}

/** Why a model stopped, in OpenAI's words. Some endpoints say `stop` where they ask for tools. */
export function finishReasonOf(
  { finish_reason: reason, tool_calls: calls = [] }: ChatData,
  functions: boolean,
): string {
  const asksForTools = calls.length > 0 && ['stop', 'tool_calls', 'function_call'].includes(reason);
  if (asksForTools) return functions ? 'function_call' : 'tool_calls';
  return ['stop', 'length', 'content_filter'].includes(reason) ? reason : 'stop';
}

/** What an answer cost, in OpenAI's form. An answer that no model gave cost nothing. */
export function openAiUsage(usage: Usage | null): object {
  const { prompt_tokens = 0, completion_tokens = 0, total_tokens = 0 } = usage ?? {};
  return {
    prompt_tokens,
    completion_tokens,
    total_tokens,
    ...(usage?.cached_tokens !== undefined && { prompt_tokens_details: { cached_tokens: usage.cached_tokens } }),
    ...(usage?.reasoning_tokens !== undefined && {
      completion_tokens_details: { reasoning_tokens: usage.reasoning_tokens },
    }),
    ...(usage?.estimated && { estimated: true }),
  };
}
