import {
  inputRequired,
  inputResponse,
  type InputRequests,
  type InputRequiredResult,
} from '@modelcontextprotocol/server';
import { CLIENT_CAPABILITIES_META_KEY } from '@modelcontextprotocol/server';
import { z } from 'zod';
import stableStringify from 'safe-stable-stringify';
import type { GateDecision, GateKind } from '../contracts/crew.js';
import type { SeenGate, SeenRun } from '../contracts/crew-view.js';
import type { Deciding } from '../services/crew-gate-rules.js';
import type { AskedState, ToolParts } from './parts.js';
import type { ToolCall } from './tool.js';

const ClientSchema = z.looseObject({ elicitation: z.looseObject({}).optional() });

/** Whether the client of this call can ask the person in front of it. */
export function canAsk({ context, era }: ToolCall): boolean {
  if (era === 'legacy') return false;
  const envelope: Readonly<Record<string, unknown>> = { ...context.mcpReq.envelope };
  const { elicitation } = ClientSchema.catch({}).parse(envelope[CLIENT_CAPABILITIES_META_KEY]);
  // Nothing in it: forms, as before there were others.
  return elicitation !== undefined && (Object.keys(elicitation).length === 0 || 'form' in elicitation);
}

/** What makes two calls the same. */
export const callKey = ({ name, given }: ToolCall): string => `${name} ${stableStringify(given)}`;

/** The state that came back with a call, if it is of this very call. */
export function askedBefore(call: ToolCall): AskedState | undefined {
  const state = call.context.mcpReq.requestState<AskedState>();
  return state?.call === callKey(call) ? state : undefined;
}

/** What people can decide at each kind of gate, the harmless one first. */
const DECISIONS: Readonly<Record<GateKind, readonly GateDecision['decision'][]>> = {
  approval: ['reject', 'return', 'approve'],
  question: ['answer'],
  limit: ['stop', 'continue'],
};

/** A gate as a question to the person in front of the client; the key says of which state of it. */
const questionKey = ({ id, revision }: SeenGate): string => `${id}@${revision}`;

/** Longest text of a form that shows what is to be decided. */
const SHOWN = 3_000;

/** Open gates that the caller may decide, as questions. */
export function questionsOf(gates: readonly SeenGate[]): InputRequests {
  return Object.fromEntries(decidable(gates).map((gate) => [questionKey(gate), formOf(gate)]));
}

/** Gates that wait for the caller. */
export const decidable = (gates: readonly SeenGate[]): SeenGate[] =>
  gates.filter((gate) => gate.state === 'open' && gate.may_decide === true);

function formOf(gate: SeenGate): ReturnType<typeof inputRequired.elicit> {
  const message = `${gate.ask}\n\n${JSON.stringify(gate.shown, undefined, 1)}`.slice(0, SHOWN);
  const decisions = DECISIONS[gate.kind];
  const comment = { type: 'string' as const, title: gate.kind === 'question' ? 'Answer' : 'Comment', maxLength: 4_000 };
  if (gate.kind === 'question') {
    return inputRequired.elicit({
      message,
      requestedSchema: { type: 'object', properties: { comment }, required: ['comment'] },
    });
  }
  const decision = { type: 'string' as const, title: 'Decision', enum: [...decisions] };
  return inputRequired.elicit({
    message,
    requestedSchema: { type: 'object', properties: { decision, comment }, required: ['decision'] },
  });
}

const AnswerSchema = z.object({
  decision: z.enum(['approve', 'reject', 'return', 'answer', 'continue', 'stop']).default('answer'),
  comment: z.string().max(4_000).optional(),
});

/**
 * What the person in front of the client has decided of a run. Who closes the form, or declines it, has decided nothing:
 * the gate stays open for them and others.
 */
export function decisionsIn(run: SeenRun, responses: Record<string, unknown> | undefined): Deciding[] {
  return decidable(run.gates).flatMap((gate): Deciding[] => {
    const response = inputResponse(responses, questionKey(gate));
    if (response.kind !== 'elicit' || response.action !== 'accept') return [];
    const parsed = AnswerSchema.safeParse(response.content);
    if (!parsed.success || !DECISIONS[gate.kind].includes(parsed.data.decision)) return [];
    const { decision, comment } = parsed.data;
    return [{ decision, gate: gate.id, revision: gate.revision, ...(comment !== undefined && { comment }) }];
  });
}

/** Asks the person in front of the client. */
export async function ask(
  { states }: Pick<ToolParts, 'states'>,
  call: ToolCall,
  questions: InputRequests,
  state: Omit<AskedState, 'call'>,
): Promise<InputRequiredResult> {
  const requestState = await states.mint({ call: callKey(call), ...state }, call.context);
  return inputRequired({ inputRequests: questions, requestState });
}
