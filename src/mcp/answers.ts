import type { CallToolResult } from '@modelcontextprotocol/server';
import type { RequestBody } from '../contracts/bodies.js';
import { AppError } from '../errors/app-error.js';
import { toAppError } from '../middleware/error.filter.js';

/** What a tool gives: an object for programs, and the same for models to read. */
export function answer(text: string, structured: Record<string, unknown>): CallToolResult {
  return { content: [{ type: 'text', text }], structuredContent: structured };
}

/** An answer whose object is all there is to read. */
export const dataAnswer = (structured: Record<string, unknown>): CallToolResult =>
  answer(JSON.stringify(structured, undefined, 1), structured);

/** A refusal, or a failure of work, as a result that a model can act on. What is unknown stays a secret of the log. */
export function errorAnswer(thrown: unknown): CallToolResult {
  const error = toAppError(thrown);
  const { code, message, detail, retryAfterSeconds: wait } = error;
  const shown = { code, message, ...detail, ...(wait !== undefined && { retry_after_s: wait }) };
  return {
    isError: true,
    content: [{ type: 'text', text: sentenceOf(shown) }],
    structuredContent: { ok: false, error: shown },
  };
}

/** Detail that tells nobody anything who reads a sentence. */
const SILENT = new Set(['code', 'message', 'retry_after_s']);

function sentenceOf(error: { code: string; message: string; retry_after_s?: number | undefined }): string {
  const detail = Object.entries(error).filter(([name]) => !SILENT.has(name));
  const lines = [
    `${error.code}: ${error.message}`,
    ...detail.map(([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`),
    ...(error.retry_after_s === undefined ? [] : [`Try again in ${error.retry_after_s} s.`]),
  ];
  return lines.join('\n');
}

/** The failure that a request ended with. */
export const failedAnswer = (body: RequestBody & { ok: false }): CallToolResult => {
  const { content } = errorAnswer(AppError.recorded(body.error));
  return { isError: true, content, structuredContent: { ...body } };
};
