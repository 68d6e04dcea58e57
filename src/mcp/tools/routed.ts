import type { CallToolResult } from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { RequestBody } from '../../contracts/bodies.js';
import type { RouteSubmission } from '../../contracts/request.js';
import { RouteBodySchema } from '../../schemas/route.js';
import { complaintsOf } from '../../middleware/error.filter.js';
import { AppError } from '../../errors/app-error.js';
import { SOURCE } from '../names.js';
import type { Named } from '../../services/access.service.js';
import { answer, failedAnswer } from '../answers.js';

/** The body of a request as programs get it; see docs/api.md. */
export const RequestOutput = z
  .looseObject({
    ok: z.boolean(),
    request_id: z.string().describe('Id of the request, and of the run where it is one of a crew.'),
    status: z.string().describe('accepted, running, completed, failed, cancelled; of a crew also what it waits for.'),
    mode: z.enum(['chat', 'crew', 'devtools']),
    data: z.unknown().describe('The answer; null while there is none yet.'),
  })
  .describe('How the request stands.');

/**
 * A request as `/route` takes it.
 * @param actingIn who acts and where, by what the request says of it
 * @throws AppError `BODY_INVALID`, and what `actingIn` throws
 */
export function submissionOf(body: Record<string, unknown>, actingIn: (named: Named) => Named): RouteSubmission {
  const parsed = RouteBodySchema.safeParse(body);
  if (!parsed.success) {
    const complaints = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    throw new AppError('BODY_INVALID', `The arguments do not fit: ${complaintsOf(complaints)}.`);
  }
  const { data } = parsed;
  const { daoId, userId } = actingIn({ daoId: data.daoId, userId: data.userId });
  return { ...data, daoId, userId, source: data.source ?? SOURCE };
}

/** What came of a request of mode chat or devtools, or how it stands. */
export function requestAnswer(body: RequestBody, tool: string): CallToolResult {
  if (!body.ok) return failedAnswer(body);
  const structured = { ...body };
  if (body.status !== 'completed') return answer(runningText(body, tool), structured);
  if (body.mode === 'chat') return answer(body.data?.text ?? '', structured);
  return answer(JSON.stringify(body.data, undefined, 1), structured);
}

const runningText = ({ request_id: id }: RequestBody, tool: string): string =>
  [
    `Status: running. request_id: ${id}`,
    `It goes on by itself. Call ${tool} again with the same arguments to wait for the answer (nothing is begun twice), crew_status with this id to see how it stands, or crew_cancel to stop it.`,
  ].join('\n');
