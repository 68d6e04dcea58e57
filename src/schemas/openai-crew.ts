import type { RouteSubmission } from '../contracts/request.js';
import { storableRecord, type refuse } from './openai-common.js';

type Context = Parameters<typeof refuse>[0];

/** The object that a text is; undefined: it is words. */
function objectIn(text: string): Record<string, unknown> | undefined {
  if (!text.trimStart().startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * A conversation with a crew: its last words are what the crew is to do, or its inputs where they are a JSON object. What
 * was said before is not told to the crew.
 */
export function crewSubmission(submission: RouteSubmission, crew: string, context: Context): RouteSubmission {
  const { prompt } = submission;
  const given = objectIn(prompt);
  const inputs = given ? storableRecord(given, context, ['messages']) : {};
  return { ...submission, mode: 'crew', prompt: given ? '' : prompt, crew: { id: crew, inputs } };
}
