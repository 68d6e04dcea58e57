export const FAULT_KINDS = [
  /** Answers with `status`, `headers` and `body`. */
  'status',
  /** 502 with a page of HTML, as a proxy sends it. */
  'html-502',
  'hang-before-headers',
  'reset-before-headers',
  'reset-after-headers',
  // The following happen after `afterTokens` tokens.
  'hang-mid-stream',
  'reset-mid-stream',
  'error-mid-stream',
  /** Closes properly, without finish reason or `done`. */
  'end-early',
  'bad-json',
  /** A whole answer without text. */
  'empty',
  /** A whole answer with thinking and no text. */
  'thinking-only',
  'no-usage',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

export interface Fault {
  kind: FaultKind;
  /** How many calls it spoils; 1 if absent. */
  times?: number;
  /** Spoils only calls whose last message contains this. */
  match?: string;
  status?: number;
  headers?: Record<string, string>;
  /** Message, code and parameter of the error that goes with `status` or an error in the stream. */
  message?: string;
  code?: string;
  param?: string;
  afterTokens?: number;
  /** What a fault in the middle waits for: that a reader has seen a part, say. */
  until?: Promise<unknown>;
}
