import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { ChatOpenAI } from '@langchain/openai';
import { generateText, streamText } from 'ai';
import type { Driver } from './driver.js';
import { asks, MODEL, type PythonAddress } from './stage.js';

/** What a client made of an answer. */
export interface Answered {
  text: string;
  completionTokens: number | undefined;
}

/** One way to ask, by one library. */
export type Client = (prompt: string, more: { maxTokens: number }) => Promise<Answered>;

/** LangChain's types lose what its messages have. */
const outputOf = (message: object): number | undefined =>
  (message as { usage_metadata?: { output_tokens: number } }).usage_metadata?.output_tokens;

/** The npm libraries beside OpenAI's own, each asking for an answer in whole and in chunks. */
export function nodeClients({ base_url: baseURL, api_key: apiKey }: PythonAddress): Record<string, Client> {
  const provider = createOpenAICompatible({ name: 'dagi', baseURL, apiKey, includeUsage: true });
  const chat = (maxTokens: number): ChatOpenAI =>
    new ChatOpenAI({ model: MODEL, apiKey, configuration: { baseURL }, maxRetries: 0, maxTokens });
  const model = provider(MODEL);
  return {
    'ai-sdk generateText': async (prompt, { maxTokens }) => {
      const { text, usage } = await generateText({ model, prompt, maxRetries: 0, maxOutputTokens: maxTokens });
      return { text, completionTokens: usage.outputTokens };
    },
    'ai-sdk streamText': async (prompt, { maxTokens }) => {
      const answer = streamText({ model, prompt, maxRetries: 0, maxOutputTokens: maxTokens });
      return { text: await answer.text, completionTokens: (await answer.usage).outputTokens };
    },
    'LangChain invoke': async (prompt, { maxTokens }) => {
      const message = await chat(maxTokens).invoke(prompt);
      return { text: message.text, completionTokens: outputOf(message) };
    },
    'LangChain stream': async (prompt, { maxTokens }) => {
      const answer: Answered = { text: '', completionTokens: undefined };
      for await (const piece of await chat(maxTokens).stream(prompt)) {
        answer.text += piece.text;
        answer.completionTokens = outputOf(piece) ?? answer.completionTokens;
      }
      return answer;
    },
  };
}

interface PythonCompletion {
  choices: { message: { content: string } }[];
  usage: { completion_tokens: number };
}
interface PythonChunk {
  choices: { delta: { content: string | null } }[];
  usage: { completion_tokens: number } | null;
}
interface PythonMessage {
  text: string;
  usage: { output_tokens: number };
}

/** The Python libraries of OpenAI and LangChain. */
export function pythonClients(client: PythonAddress, openai: Driver, langchain: Driver): Record<string, Client> {
  const body = (prompt: string, maxTokens: number): object => ({ ...asks(prompt), max_tokens: maxTokens });
  const withUsage = { stream_options: { include_usage: true } };
  const byLangchain =
    (op: string): Client =>
    async (prompt, { maxTokens }) => {
      const options = { model: MODEL, max_tokens: maxTokens, stream_usage: true };
      const told = await langchain.call<PythonMessage>(op, { client, messages: prompt, options });
      return { text: told.text, completionTokens: told.usage.output_tokens };
    };
  const whole =
    (op: string, more: object = {}): Client =>
    async (prompt, { maxTokens }) => {
      const parameters = { client, body: { ...body(prompt, maxTokens), ...more } };
      const { choices, usage } = await openai.call<PythonCompletion>(op, parameters);
      return { text: choices[0]?.message.content ?? '', completionTokens: usage.completion_tokens };
    };
  return {
    'Python openai create': whole('chat'),
    'Python openai stream': async (prompt, { maxTokens }) => {
      const parameters = { client, body: { ...body(prompt, maxTokens), ...withUsage } };
      const chunks = await openai.call<PythonChunk[]>('stream', parameters);
      const text = chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('');
      return { text, completionTokens: chunks.at(-1)?.usage?.completion_tokens };
    },
    // Its helper takes an answer that was cut for a failure, so it is given no bound.
    'Python openai helper': async (prompt, { maxTokens }) =>
      whole('helper', { max_tokens: 10 * maxTokens, ...withUsage })(prompt, { maxTokens }),
    'Python LangChain invoke': byLangchain('invoke'),
    'Python LangChain stream': byLangchain('stream'),
  };
}
