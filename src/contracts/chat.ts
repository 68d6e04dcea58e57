/** A conversation as models are given it, and what a caller may want of the answer: OpenAI's terms, in one shape. */

/** An image is a `data:` URI, or an address that the model's endpoint fetches itself: we never do. */
export type ContentPart =
  { type: 'text'; text: string } | { type: 'image'; url: string; detail?: 'auto' | 'low' | 'high' };

/** A call of a tool that a model asks for. `arguments` is the text that it wrote: JSON if the model did well. */
export interface ToolCall {
  id: string;
  name: string;
  arguments: string;
}

export type ChatMessage =
  | { role: 'system' | 'user'; content: string | ContentPart[]; name?: string }
  | { role: 'assistant'; content: string | null; name?: string; toolCalls?: ToolCall[] }
  | { role: 'tool'; toolCallId: string; content: string };

/** A function that a model may ask for; `parameters` is a JSON Schema. */
export interface ToolDefinition {
  name: string;
  description?: string;
  parameters?: Record<string, unknown>;
  strict?: boolean;
}

export type ToolChoice = 'none' | 'auto' | 'required' | { name: string };

export type ResponseFormat =
  | { type: 'json_object' }
  | { type: 'json_schema'; name: string; schema: Record<string, unknown>; description?: string; strict?: boolean };

/** How a caller wants to be answered. What is absent is left to the provider. */
export interface CallOptions {
  /** Longest answer, in tokens; a provider's own limit cuts it. */
  maxTokens?: number;
  temperature?: number;
  topP?: number;
  stop?: string[];
  seed?: number;
  presencePenalty?: number;
  frequencyPenalty?: number;
  /** Bias by token id of the model's own tokenizer. */
  logitBias?: Record<string, number>;
  /** Probabilities of the tokens, each with so many alternatives (0 to 20). */
  logprobs?: number;
  tools?: ToolDefinition[];
  toolChoice?: ToolChoice;
  /** False: at most one call of a tool in an answer. */
  parallelToolCalls?: boolean;
  responseFormat?: ResponseFormat;
  /** How long a model that can may think: `none`, `minimal`, `low`, `medium`, `high`, … */
  reasoningEffort?: string;
  /** The client speaks of functions, the form before tools. */
  functions?: true;
  /** Fields of an endpoint's own dialect that a client sent, by their names on the wire; only known ones. */
  dialect?: Record<string, unknown>;
}

/** A client's own conversation, which is used as it is. */
export interface ChatCall {
  kind: 'chat';
  messages: ChatMessage[];
  options: CallOptions;
}

/** Texts to be turned into vectors. */
export interface EmbeddingsCall {
  kind: 'embeddings';
  input: string[];
  dimensions?: number;
}

/** What a model is asked to do where a client says it all itself. */
export type ModelCall = ChatCall | EmbeddingsCall;

/** Probability of a token, and of those that might have stood in its place. */
export interface TokenLogprob {
  token: string;
  logprob: number;
  bytes: number[] | null;
  top_logprobs: { token: string; logprob: number; bytes: number[] | null }[];
}

/** What an answer holds beside its text; what is absent was not there. */
export interface AnswerParts {
  reasoning?: string;
  toolCalls?: ToolCall[];
  logprobs?: TokenLogprob[];
  /** Vectors in the order of the input: little-endian 32-bit floats in base64. */
  embeddings?: string[];
}

/** What a model can do. */
export const CAPABILITIES = ['completion', 'tools', 'json_schema', 'vision', 'thinking', 'embeddings'] as const;
export type Capability = (typeof CAPABILITIES)[number];

/** What is known of a provider's model. */
export interface ModelFacts {
  /** Name at the endpoint; null: it has not said in time which it chooses. */
  model: string | null;
  /** Longest prompt and answer together, in tokens; null: nobody told. */
  contextLength: number | null;
  /** Longest answer that the profile lets it give, in tokens. */
  maxTokens: number;
  capabilities: readonly Capability[];
  /** Parameters of OpenAI's wire format that this provider cannot heed; the names of the wire. */
  lacks: readonly string[];
}

/** The text of a message, without what is no text. */
export function messageText({ content }: ChatMessage): string {
  if (content === null) return '';
  if (typeof content === 'string') return content;
  return content.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('\n');
}
