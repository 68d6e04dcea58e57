import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import type { TokenLogprob, ToolCall } from '../../src/contracts/chat.js';
import type { GenerateCall, GenerateChunk } from '../../src/adapters/llm/provider.js';
import { ProviderError } from '../../src/adapters/llm/provider.js';

/** A call with everything set; `prompt` becomes its one message. */
export const aCall = (prompt: string, over: Partial<GenerateCall> = {}): GenerateCall => ({
  messages: [{ role: 'user', content: prompt }],
  maxTokens: 50,
  temperature: 0.2,
  topP: 0.9,
  signal: AbortSignal.timeout(20_000),
  ...over,
});

export type Collected = Extract<GenerateChunk, { type: 'end' }> & { text: string; pieces: number };

/** Reads an answer to its end. */
export async function collect(chunks: AsyncIterable<GenerateChunk>): Promise<Collected> {
  let text = '';
  let pieces = 0;
  let end: Extract<GenerateChunk, { type: 'end' }> | undefined;
  for await (const chunk of chunks) {
    if (end) throw new Error('something came after the end');
    if (chunk.type === 'end') end = chunk;
    else if (chunk.type === 'text') {
      text += chunk.text;
      pieces++;
    }
  }
  if (!end) throw new Error('no end');
  return { ...end, text, pieces };
}

type Piece = Extract<GenerateChunk, { type: 'tool_call' }>;

/** Adds a piece to the calls so far; throws where it does not keep to the order of the contract. */
function addCall(calls: ToolCall[], { index, id, name, arguments: given }: Piece): void {
  const begins = id !== undefined && name !== undefined;
  if (index !== (begins ? calls.length : calls.length - 1)) throw new Error(`call ${index} is out of order`);
  if (begins) calls.push({ id, name, arguments: given });
  else {
    const last = calls.at(-1);
    if (last) last.arguments += given;
  }
}

/** Everything that an answer holds, read to its end. */
export interface Everything {
  text: string;
  reasoning: string;
  toolCalls: ToolCall[];
  logprobs: TokenLogprob[];
  end: Extract<GenerateChunk, { type: 'end' }>;
}

/** Reads an answer for a program to its end, and checks the order of its calls. */
export async function everythingOf(chunks: AsyncIterable<GenerateChunk>): Promise<Everything> {
  const all: Omit<Everything, 'end'> = { text: '', reasoning: '', toolCalls: [], logprobs: [] };
  let end: Everything['end'] | undefined;
  for await (const chunk of chunks) {
    if (end) throw new Error('something came after the end');
    if (chunk.type === 'end') end = chunk;
    else if (chunk.type === 'tool_call') addCall(all.toolCalls, chunk);
    else all[chunk.type] += chunk.text;
    if (chunk.type === 'text') all.logprobs.push(...(chunk.logprobs ?? []));
  }
  if (!end) throw new Error('no end');
  return { ...all, end };
}

/** The failure of an answer, with the text that was seen before it. */
export async function failureOf(chunks: AsyncIterable<GenerateChunk>): Promise<{ error: ProviderError; text: string }> {
  let text = '';
  try {
    for await (const chunk of chunks) if (chunk.type === 'text') text += chunk.text;
  } catch (error) {
    if (error instanceof ProviderError) return { error, text };
    throw error;
  }
  throw new Error('it did not fail');
}

/** Waits until something holds, at most two seconds. */
export async function eventually(holds: () => boolean): Promise<void> {
  for (const end = Date.now() + 2_000; !holds();) {
    if (Date.now() > end) throw new Error('it never became true');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** An address where nobody listens. */
export async function closedUrl(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}
