import type { AnswerParts, CallOptions, ChatMessage } from './chat.js';
import type { Usage } from './request.js';

/** Number of the first run of a model for a request. */
export const FIRST_GENERATION = 1;

/** What a call has come to. */
export interface CallEnd {
  finishReason: string;
  usage: Usage;
  /** What the provider took, in milliseconds. */
  ms: number;
}

/** A call to a provider that is under way, whoever began it. */
export interface RunningCall {
  /** Number of this run of a model for its request. */
  readonly generation: number;
  /** When the provider was asked: Unix time in milliseconds. */
  readonly calledAt: number;
  /** What was sent, to be counted where the provider does not. */
  readonly messages: readonly ChatMessage[];
  /** What else was sent: definitions of tools, the schema of the answer. */
  readonly options: CallOptions | undefined;
  /** What has been said so far. */
  readonly text: string;
  readonly parts: AnswerParts;
  /** Whether the provider has been asked: not while the call waits for its turn at a model of this machine. */
  readonly sent: boolean;
  /** Whether anything was said, so that it is paid for. */
  readonly said: boolean;
  /** Whether somebody may have seen a part of it. */
  readonly seen: boolean;
  /** Resolves at the end of the answer; rejects with what the provider threw, or with the reason of the stop. */
  readonly ended: Promise<CallEnd>;
  /** Lets readers have what is said, from the first word on. Until then it is held back. */
  release(): void;
  /** Stops the provider for real. What is not out yet stays in. Does nothing after the end. */
  stop(reason: Error): void;
}
