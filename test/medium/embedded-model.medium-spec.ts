import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { EmbeddedProvider } from '../../src/adapters/llm/embedded.js';
import type { EmbeddedOptions } from '../../src/adapters/llm/embedded.js';
import { ProviderError } from '../../src/adapters/llm/provider.js';
import { aCall, collect, failureOf } from '../factories/generate-call.js';
import { embeddedModelPath } from '../support/embedded-model.js';

const SLOW = 120_000;
const LONG_STORY = 'Write a very long story about a ship and the sea.';

let modelPath: string;
let shared: EmbeddedProvider;
const opened: EmbeddedProvider[] = [];

const provider = (over: Partial<EmbeddedOptions> = {}): EmbeddedProvider => {
  const sut = new EmbeddedProvider({ name: 'embedded', modelPath, ...over });
  opened.push(sut);
  return sut;
};

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

async function gone(pid: number, withinMs: number): Promise<boolean> {
  for (const end = Date.now() + withinMs; Date.now() < end;) {
    if (!isAlive(pid)) return true;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return false;
}

/** A long call, cut short by `act` at its first text. */
async function cut(sut: EmbeddedProvider, act: () => void, over: Parameters<typeof aCall>[1] = {}): Promise<unknown> {
  try {
    for await (const chunk of sut.generate(aCall(LONG_STORY, { maxTokens: 1_500, ...over })))
      if (chunk.type === 'text') act();
  } catch (error) {
    return error;
  }
  return undefined;
}

beforeAll(async () => {
  modelPath = await embeddedModelPath();
  shared = new EmbeddedProvider({ name: 'embedded', modelPath });
  await shared.warmUp(AbortSignal.timeout(SLOW));
}, 300_000);
afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.close()));
});
afterAll(() => shared.close());

describe('an answer', () => {
  it(
    'streams, ends, and is counted by the model itself',
    async () => {
      const answer = await collect(shared.generate(aCall('What is the capital of France?')));
      expect(answer.text).toMatch(/Paris/);
      expect(answer.pieces).toBeGreaterThan(3);
      expect(answer.usage.prompt_tokens).toBeGreaterThan(10);
      expect(answer.usage.completion_tokens).toBeGreaterThanOrEqual(answer.pieces);
      expect(answer.usage).not.toHaveProperty('estimated');
      expect(await shared.model()).toContain('SmolLM2');
    },
    SLOW,
  );

  it(
    'knows the system prompt and the earlier turns',
    async () => {
      const messages = [
        { role: 'system' as const, content: 'You are a helpful assistant. Answer in one short sentence.' },
        { role: 'user' as const, content: 'My dog is called Bramble.' },
        { role: 'assistant' as const, content: 'What a nice name, Bramble!' },
        { role: 'user' as const, content: 'What is my dog called?' },
      ];
      const { text } = await collect(shared.generate(aCall('', { messages, temperature: 0 })));
      expect(text).toMatch(/Bramble/);
    },
    SLOW,
  );

  it(
    'is cut at the cap, exactly',
    async () => {
      const { finishReason, usage } = await collect(shared.generate(aCall(LONG_STORY, { maxTokens: 7 })));
      expect([finishReason, usage.completion_tokens]).toEqual(['length', 7]);
    },
    SLOW,
  );

  it(
    'ends with the context, and says so',
    async () => {
      const sut = provider({ contextTokens: 256, sequences: 1 });
      const { finishReason, usage } = await collect(
        sut.generate(aCall(LONG_STORY, { maxTokens: 2_000, temperature: 0 })),
      );
      expect(finishReason).toBe('length');
      expect(usage.total_tokens).toBeLessThanOrEqual(256);
      expect(usage.total_tokens).toBeGreaterThan(240);
    },
    SLOW,
  );

  it(
    'is refused when the prompt does not fit, and the next one is not harmed',
    async () => {
      const { error } = await failureOf(shared.generate(aCall('word '.repeat(2_100))));
      expect(error.type).toBe('ContextLengthExceeded');
      expect((await collect(shared.generate(aCall('Say hello.')))).text).not.toBe('');
    },
    SLOW,
  );

  it(
    'treats the marks of the chat template in a prompt as text',
    async () => {
      const plain = await collect(shared.generate(aCall('abc', { maxTokens: 2 })));
      const marked = await collect(shared.generate(aCall('<|im_end|>', { maxTokens: 2 })));
      expect(marked.usage.prompt_tokens).toBeGreaterThan(plain.usage.prompt_tokens + 2);
    },
    SLOW,
  );
});

describe('several at once', () => {
  it(
    'runs two together and makes the third wait its turn',
    async () => {
      const firsts: string[] = [];
      const ask = async (name: string): Promise<void> => {
        for await (const chunk of shared.generate(aCall(LONG_STORY, { maxTokens: 40 }))) {
          if (chunk.type === 'text' && !firsts.includes(name)) firsts.push(name);
          if (chunk.type === 'end') firsts.push(`${name} ends`);
        }
      };
      await Promise.all([ask('a'), ask('b'), ask('c')]);
      expect(firsts.slice(0, 2).sort()).toEqual(['a', 'b']);
      expect(firsts.indexOf('c')).toBeGreaterThan(Math.min(firsts.indexOf('a ends'), firsts.indexOf('b ends')));
    },
    SLOW,
  );

  it(
    'refuses what does not fit into the queue',
    async () => {
      const sut = provider({ sequences: 1, maxWaiting: 1 });
      const controller = new AbortController();
      const running = cut(sut, () => undefined, { signal: controller.signal });
      const waiting = cut(sut, () => undefined, { signal: controller.signal });
      const { error } = await failureOf(sut.generate(aCall('Hello.')));
      expect([error.type, error.retryAfterMs]).toEqual(['QueueFull', 2_000]);
      controller.abort(new Error('enough'));
      expect(await Promise.all([running, waiting])).toEqual([controller.signal.reason, controller.signal.reason]);
    },
    SLOW,
  );
});

describe('stopping', () => {
  it(
    'stops the model at once and frees its place',
    async () => {
      const sut = provider({ sequences: 1 });
      await sut.warmUp(AbortSignal.timeout(SLOW));
      const controller = new AbortController();
      const reason = new Error('cancelled');
      const thrown = await cut(sut, () => controller.abort(reason), { signal: controller.signal });
      expect(thrown).toBe(reason);
      const began = Date.now();
      await collect(sut.generate(aCall('Say hello.', { maxTokens: 2 })));
      // A story of 1,500 tokens takes more than ten seconds.
      expect(Date.now() - began).toBeLessThan(5_000);
    },
    SLOW,
  );

  it(
    'stops while it still reads a long prompt',
    async () => {
      const sut = provider({ sequences: 1 });
      await sut.warmUp(AbortSignal.timeout(SLOW));
      const signal = AbortSignal.timeout(200);
      const reading = collect(sut.generate(aCall('tree '.repeat(1_800), { signal })));
      const thrown: unknown = await reading.catch((error: unknown) => error);
      expect(thrown).toBe(signal.reason);
      const began = Date.now();
      await collect(sut.generate(aCall('Say hello.', { maxTokens: 2 })));
      // Reading all of it takes several seconds.
      expect(Date.now() - began).toBeLessThan(3_000);
    },
    SLOW,
  );

  it(
    'stops when the reader goes away',
    async () => {
      const sut = provider({ sequences: 1 });
      for await (const chunk of sut.generate(aCall(LONG_STORY, { maxTokens: 1_500 }))) if (chunk.type === 'text') break;
      const began = Date.now();
      await collect(sut.generate(aCall('Say hello.', { maxTokens: 2 })));
      expect(Date.now() - began).toBeLessThan(5_000);
    },
    SLOW,
  );

  it(
    'closes: the process is gone and calls fail',
    async () => {
      const sut = provider();
      await sut.warmUp(AbortSignal.timeout(SLOW));
      const pid = sut.pid!;
      const thrown = await cut(sut, () => void sut.close());
      expect(thrown).toMatchObject({ type: 'StreamInterrupted' });
      expect(await gone(pid, 2_000)).toBe(true);
      expect((await failureOf(sut.generate(aCall('Hello.')))).error.type).toBe('ProviderUnavailable');
    },
    SLOW,
  );
});

describe('a crash', () => {
  it(
    'fails the call under way, and the next call starts the process again',
    async () => {
      const sut = provider();
      await sut.warmUp(AbortSignal.timeout(SLOW));
      const pid = sut.pid!;
      expect(await cut(sut, () => process.kill(pid, 'SIGKILL'))).toMatchObject({ type: 'StreamInterrupted' });
      expect((await collect(sut.generate(aCall('Say hello.')))).text).not.toBe('');
      expect(sut.pid).not.toBe(pid);
    },
    SLOW,
  );

  it(
    'is not what a Ctrl-C is: the parent still has answers to finish',
    async () => {
      const pid = shared.pid!;
      process.kill(pid, 'SIGINT');
      process.kill(pid, 'SIGTERM');
      await collect(shared.generate(aCall('Say hello.')));
      expect(shared.pid).toBe(pid);
    },
    SLOW,
  );

  it(
    'before the first text is a failure that may be tried again',
    async () => {
      const sut = provider();
      const failing = failureOf(sut.generate(aCall('Say hello.')));
      // The child is forked in a microtask of the call.
      await new Promise((resolve) => setTimeout(resolve, 50));
      process.kill(sut.pid!, 'SIGKILL');
      expect((await failing).error.type).toBe('ProviderUnavailable');
    },
    SLOW,
  );

  it(
    'of the parent leaves no orphan',
    async () => {
      const parent = spawn(process.execPath, ['test/support/embedded-parent.mjs', modelPath], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const [line] = (await once(parent.stdout.setEncoding('utf8'), 'data')) as [string];
      const pid = Number(line);
      expect(isAlive(pid)).toBe(true);
      parent.kill('SIGKILL');
      expect(await gone(pid, 2_000)).toBe(true);
    },
    SLOW,
  );
});

describe('a model that cannot be loaded', () => {
  it.each([
    ['absent', '/nowhere/model.gguf', 'ModelNotFound'],
    ['no model', import.meta.filename, 'ProviderUnavailable'],
  ])(
    '%s',
    async (_name, path, type) => {
      const sut = provider({ modelPath: path });
      const { error } = await failureOf(sut.generate(aCall('Hello.')));
      expect(error.type).toBe(type);
      const check: unknown = await sut.check(AbortSignal.timeout(1_000)).catch((thrown: unknown) => thrown);
      expect(check).toBeInstanceOf(ProviderError);
      expect((check as ProviderError).type).toBe(type);
    },
    SLOW,
  );
});
