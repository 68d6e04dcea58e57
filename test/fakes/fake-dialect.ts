import type { Said } from './fake-text.js';

export interface FakeSettings {
  firstTokenMs: number;
  tokenMs: number;
  /** Length of an answer in tokens; 0: as long as its echo. */
  tokens: number;
  models: string[];
  /** Empty: no key is asked for. */
  apiKey: string;
  requireMaxTokens: boolean;
  /** Parameters that are refused by name, as newer OpenAI models do. */
  refuseParameters: string[];
  /** Ollama: refuse any `think`, as for a model that cannot. */
  refuseThink: boolean;
  /** Words that a conversation may have. */
  contextWords: number;
  /** `byte`: every byte in a packet of its own; `whole`: the whole answer in one. */
  packets: 'token' | 'byte' | 'whole';
}

export const DEFAULT_SETTINGS: FakeSettings = {
  firstTokenMs: 0,
  tokenMs: 0,
  tokens: 0,
  models: ['fake-model', 'other-model'],
  apiKey: '',
  requireMaxTokens: false,
  refuseParameters: [],
  refuseThink: false,
  contextWords: 1_000_000,
  packets: 'token',
};

/** A chat's body, checked by the dialect as far as the real endpoint checks it. */
export interface ChatBody {
  model: string;
  messages: { role: string; content: string }[];
  stream?: boolean;
  [key: string]: unknown;
}

export interface Reply {
  status: number;
  body: unknown;
  headers?: Record<string, string>;
}

/** What an endpoint's protocol makes of refusals, requests and answers. */
export interface Dialect {
  chatPath: string;
  streamType: string;
  streamsByDefault: boolean;
  refusal(status: number, message: string, code?: string, param?: string): Reply;
  /** Why the real endpoint would refuse this body. */
  refuse(body: Partial<ChatBody>, settings: FakeSettings): Reply | undefined;
  maxTokens(body: ChatBody): number | undefined;
  head(said: Said): string;
  token(said: Said, text: string): string;
  thinking(said: Said, text: string): string;
  tail(said: Said, body: ChatBody, withUsage: boolean): string;
  streamError(message: string, code: string | undefined): string;
  whole(said: Said): unknown;
  /** Everything that is not a chat. */
  other(method: string, path: string, settings: FakeSettings): Reply | undefined;
}
