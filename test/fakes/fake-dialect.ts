import type { Said } from './fake-text.js';
import type { Wishes } from './wishes.js';

/** Milliseconds: a number, or least and most between which each request draws its own. */
export type Delay = number | [least: number, most: number];

/** How tools are called where a request has tools. */
export interface FakeTools {
  /** Without a name: the first tool of the request. Arguments that are no text are written as JSON. */
  calls: { name?: string; arguments?: unknown }[];
  /** Fragments of all calls in turns, by index; otherwise one call after the other. */
  interleaved?: boolean;
  /** In which fragments of a call its id stands; with `null` the field is there and says nothing. */
  ids?: 'once' | 'always' | 'never' | 'null';
  names?: 'once' | 'always';
  /** UTF-16 units of arguments in a fragment. */
  pieceLength?: number;
  finish?: 'tool_calls' | 'stop';
  /** What is said before. */
  text?: string;
  /** Tools are called again when their results are there; otherwise the results are answered in text. */
  always?: boolean;
}

/** A text, an object that is written as JSON, a text that ends as it may be no longer, or calls of tools. */
export type ScriptedAnswer =
  string | Record<string, unknown> | { cut: string } | { tools: { name: string; arguments?: unknown }[] };

export interface FakeEmbeddings {
  dimensions: number;
  /** `floats`: numbers, although base64 was asked for. */
  as: 'asked' | 'floats';
  reversed: boolean;
  usage: boolean;
}

export interface FakeSettings {
  firstTokenMs: Delay;
  tokenMs: Delay;
  /** Of the generator that draws delays: the same sequence of requests gets the same ones. */
  seed: number;
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
  /** Whether every chat is written down, from its first byte to its end. */
  ledger: boolean;
  /** How many bodies of chats are kept, the latest. */
  keptBodies: number;
  // The following are OpenAI's alone.
  /** Refuse any parameter that OpenAI does not have, by name. */
  refuseUnknown: boolean;
  /** Whether images in messages are accepted. */
  vision: boolean;
  /** Null: tools are called only where a request insists, the first with `{}`. */
  toolCalls: FakeTools | null;
  /** What is answered where JSON is asked for; null: an object with the prompt's marker. */
  json: unknown;
  /**
   * Scripted answers: by words that a conversation holds, what is said to it, one after the other, the last one again and
   * again. An answer that is no text is written as JSON; one with `tool` calls a tool where the request has it.
   */
  scripts: Record<string, ScriptedAnswer[]>;
  /**
   * What attackers want, by the ids of their orders: the model obeys each order that it finds, before all else. Null: it
   * heeds none.
   */
  obeys: Wishes | null;
  /** What the model thinks before it answers, and the field in which it comes. */
  reasoning: string;
  reasoningField: 'reasoning_content' | 'reasoning';
  /** Tells how many of the prompt's tokens were cached (half of them), and how many it thought with. */
  usageDetails: boolean;
  embeddings: FakeEmbeddings;
  /** More fields of entries in the list of models, such as `context_length`, by model; at Ollama, of what is shown. */
  modelFields: Record<string, object>;
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
  ledger: false,
  keptBodies: 200,
  seed: 1,
  refuseUnknown: false,
  vision: true,
  toolCalls: null,
  json: null,
  scripts: {},
  obeys: null,
  reasoning: '',
  reasoningField: 'reasoning_content',
  usageDetails: false,
  embeddings: { dimensions: 8, as: 'asked', reversed: false, usage: true },
  modelFields: {},
};

/**
 * A chat's body, checked by the dialect as far as the real endpoint checks it. At OpenAI content may be parts or null:
 * `textOf` reads it.
 */
export interface ChatBody {
  model: string;
  messages: { role: string; content: string }[];
  stream?: boolean;
  [key: string]: unknown;
}

export interface EmbeddingsBody {
  model: string;
  input: string | string[];
  encoding_format?: string;
  dimensions?: number;
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
  /** What else is said than text, decided from the whole request. */
  enrich?(said: Said, body: ChatBody, settings: FakeSettings): Said;
  /** Calls of tools, a piece each. */
  calls?(said: Said): string[];
  tail(said: Said, body: ChatBody, withUsage: boolean): string;
  streamError(message: string, code: string | undefined): string;
  whole(said: Said): unknown;
  embeddings?: {
    path: string;
    refuse(body: Partial<EmbeddingsBody>, settings: FakeSettings): Reply | undefined;
    answer(body: EmbeddingsBody, settings: FakeSettings): unknown;
  };
  /** Everything else; `body` is its text. */
  other(method: string, path: string, settings: FakeSettings, body: string): Reply | undefined;
}
