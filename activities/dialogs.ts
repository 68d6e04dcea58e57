import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import { Context } from '@temporalio/activity';
import type { ChatAddress, DialogInput, DialogStep, RememberInput } from '../src/contracts/dialog.js';
import { dialogWorkflowId } from '../src/contracts/ids.js';
import { AppError } from '../src/errors/app-error.js';
import { DeliveryError } from '../src/errors/delivery-error.js';
import { toApplicationFailure } from './failures.js';

const HEARTBEAT_MS = 1_000;

/** A try at a part of a dialog. */
export interface Attempt {
  /** From one. */
  count: number;
  /** Aborted when this process is to go on with it no longer. */
  signal: AbortSignal;
}

export interface DialogsDependencies {
  dialogs: {
    /** Answers the next message of a chat. @throws AppError, DeliveryError */
    answerNext(address: ChatAddress, attempt: Attempt): Promise<DialogStep>;
    /** Does what is to be done at once. @throws AppError */
    doActs(address: ChatAddress, attempt: Attempt): Promise<DialogStep>;
    /** Shows what is left of something that was done at once. @throws AppError, DeliveryError */
    sayNext(address: ChatAddress, attempt: Attempt): Promise<DialogStep>;
    /** Sums up old turns of a dialog, if it is one of the chat. @throws AppError */
    remember(address: ChatAddress, dialog: RememberInput, signal: AbortSignal): Promise<void>;
  };
}

export interface DialogActivities {
  /** Answers the next message of a chat, if there is one. Safe to repeat. */
  answerNext(input: DialogInput): Promise<DialogStep>;
  /** Does everything of a chat that is not a turn: presses, reactions, stops, edits. Safe to repeat. */
  doActs(input: DialogInput): Promise<DialogStep>;
  /** Shows what is left of the next act of a chat, if there is one. Safe to repeat. */
  sayNext(input: DialogInput): Promise<DialogStep>;
  /** Sums up old turns of a dialog, if there are enough of them. Safe to repeat. */
  remember(input: DialogInput, dialog: RememberInput): Promise<void>;
}

export const createDialogActivities = ({ dialogs }: DialogsDependencies): DialogActivities => ({
  answerNext: (input) => ofItsChat(input, (address, attempt) => dialogs.answerNext(address, attempt)),
  doActs: (input) => ofItsChat(input, (address, attempt) => dialogs.doActs(address, attempt)),
  sayNext: (input) => ofItsChat(input, (address, attempt) => dialogs.sayNext(address, attempt)),
  remember: (input, dialog) => ofItsChat(input, (address, { signal }) => dialogs.remember(address, dialog, signal)),
});

/** Runs a part of a dialog, for as long as Temporal wants it. */
async function ofItsChat<T>(
  { source, chat, topic }: DialogInput,
  run: (address: ChatAddress, attempt: Attempt) => Promise<T>,
): Promise<T> {
  const context = Context.current();
  const address = { source, chat, topic };
  // As for requests: whoever reaches the embedded server's port can start workflows that call our activities.
  if (context.info.workflowExecution?.workflowId !== dialogWorkflowId(address)) {
    throw toApplicationFailure({ type: 'Internal', message: 'this workflow is not the one of the chat' });
  }
  const beat = setInterval(() => context.heartbeat(), HEARTBEAT_MS);
  try {
    return await run(address, { count: context.info.attempt, signal: context.cancellationSignal });
  } catch (error) {
    throw failureOf(error);
  } finally {
    clearInterval(beat);
  }
}

/** Whatever keeps a dialog from going on, Temporal tries again; sooner or later as the platform says. */
function failureOf(error: unknown): ApplicationFailure {
  const { type, message } = described(error);
  const wait = error instanceof DeliveryError ? error.detail.retryAfterMs : undefined;
  return ApplicationFailure.create({
    ...{ type, message, nonRetryable: false, category: ApplicationFailureCategory.BENIGN },
    ...(wait !== undefined && { nextRetryDelay: wait }),
  });
}

function described(error: unknown): { type: string; message: string } {
  if (error instanceof DeliveryError) return { type: `Delivery.${error.problem}`, message: error.message };
  if (error instanceof AppError) return { type: error.code, message: error.message };
  return { type: 'Internal', message: 'an unexpected error; the log has it' };
}
