import type { Usage } from '../../contracts/request.js';

const countOf = (value: number | null | undefined): number =>
  typeof value === 'number' && Number.isFinite(value) && value > 0 ? Math.round(value) : 0;

/** What some endpoints tell besides the two counts; what they do not tell is absent. */
interface UsageDetails {
  cached?: number | null | undefined;
  reasoning?: number | null | undefined;
}

/** Usage from two counts. A count that an endpoint leaves out (Ollama does so for a cached prompt) is 0. */
export function usageOf(
  prompt: number | null | undefined,
  completion: number | null | undefined,
  { cached, reasoning }: UsageDetails = {},
): Usage {
  const prompt_tokens = countOf(prompt);
  const completion_tokens = countOf(completion);
  return {
    prompt_tokens,
    completion_tokens,
    total_tokens: prompt_tokens + completion_tokens,
    ...(typeof cached === 'number' && { cached_tokens: Math.min(countOf(cached), prompt_tokens) }),
    ...(typeof reasoning === 'number' && { reasoning_tokens: countOf(reasoning) }),
  };
}
