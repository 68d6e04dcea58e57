import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
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
