/**
 * The embedded model's process: one model, a few sequences, nothing else. Started by `EmbeddedProcess` with an IPC
 * channel and an empty environment, which is why nothing is read from it here.
 */
import { access } from 'node:fs/promises';
import type {
  ChatHistoryItem,
  ChatWrapper,
  LlamaChat,
  LLamaContextualRepeatPenalty,
  LlamaContextSequence,
  Token,
} from 'node-llama-cpp';
import { FormatRefused, Grammars } from './embedded-grammars.js';
import {
  type FromChild,
  type GenerateMessage,
  type LoadMessage,
  RESERVED_TOKENS,
  ToChild,
} from './embedded-protocol.js';

/** A model this small repeats a sentence until it is cut, unless words that it has said grow dearer. */
const REPEAT_PENALTY = { lastTokens: 128, penalty: 1.15, frequencyPenalty: 0.3, presencePenalty: 0.2 };
/** JSON repeats its quotes and commas: where these grow dear, the model leaves its texts empty. */
const JSON_REPEAT_PENALTY = { lastTokens: 64, penalty: 1.1 };

/** Room that a prompt must leave, or as much as the answer may take if that is less. */
const MIN_ANSWER_TOKENS = 32;
/** Tokens of a prompt that are read between two looks at the signal: about half a second on one slow core. */
const READ_STEP_TOKENS = 64;
/** More than any token of a text has, so that what is longer than so many of them cannot fit. */
const MOST_LETTERS_A_TOKEN = 128;

class ContextExceeded extends Error {}

function say(message: FromChild): void {
  // A channel that closed meanwhile is no error: the process is about to leave.
  process.send?.(message, () => undefined);
}

const toItem = ({ role, content }: GenerateMessage['messages'][number]): ChatHistoryItem => {
  if (role === 'assistant') return { type: 'model', response: [content] };
  return { type: role, text: content };
};

function penaltyOf({ format, frequencyPenalty, presencePenalty }: GenerateMessage): LLamaContextualRepeatPenalty {
  return {
    ...(format ? JSON_REPEAT_PENALTY : REPEAT_PENALTY),
    ...(frequencyPenalty !== undefined && { frequencyPenalty }),
    ...(presencePenalty !== undefined && { presencePenalty }),
  };
}

/** A loaded model with its free sequences. */
class Engine {
  private constructor(
    private readonly free: LlamaChat[],
    private readonly wrapper: ChatWrapper,
    private readonly grammars: Grammars,
    private readonly contextTokens: number,
  ) {}

  static async load({ modelPath, contextTokens, sequences, threads }: LoadMessage): Promise<Engine> {
    const { getLlama, LlamaChat: Chat, LlamaLogLevel, resolveChatWrapper } = await import('node-llama-cpp');
    const llama = await getLlama({
      gpu: 'auto',
      build: 'never',
      skipDownload: true,
      progressLogs: false,
      maxThreads: threads,
      logLevel: LlamaLogLevel.error,
      logger: (_level, message) => process.stderr.write(`${message.trimEnd()}\n`),
    });
    const model = await llama.loadModel({ modelPath });
    const context = await model.createContext({ sequences, contextSize: contextTokens, threads });
    const chatWrapper = resolveChatWrapper(model, { warningLogs: false });
    const free = Array.from(
      { length: sequences },
      () => new Chat({ contextSequence: context.getSequence(), chatWrapper }),
    );
    return new Engine(free, chatWrapper, new Grammars(llama), contextTokens);
  }

  async generate(call: GenerateMessage, signal: AbortSignal): Promise<FromChild> {
    const chat = this.free.shift();
    if (!chat) throw new Error('more calls than sequences');
    try {
      return await this.generateOn(chat, call, signal);
    } finally {
      // To the front: it holds the system prompt that the next call most likely shares.
      this.free.unshift(chat);
    }
  }

  private async generateOn(chat: LlamaChat, call: GenerateMessage, signal: AbortSignal): Promise<FromChild> {
    const { id, temperature, topP, stop, seed, format } = call;
    // To count the tokens of what cannot fit would hold up everybody for seconds.
    const letters = call.messages.reduce((sum, { content }) => sum + content.length, 0);
    if (letters > this.contextTokens * MOST_LETTERS_A_TOKEN) throw new ContextExceeded();
    const grammar = format && (await this.grammars.of(format));
    const history = call.messages.map(toItem);
    const prompt = this.tokenize(chat, history);
    const room = this.contextTokens - RESERVED_TOKENS - prompt.length;
    if (room < Math.min(MIN_ANSWER_TOKENS, call.maxTokens)) throw new ContextExceeded();
    await readPrompt(chat.sequence, prompt, signal);
    const before = chat.sequence.tokenMeter.getState();
    const { metadata } = await chat.generateResponse(history, {
      maxTokens: Math.min(call.maxTokens, room),
      temperature,
      topP,
      repeatPenalty: penaltyOf(call),
      ...(stop && { customStopTriggers: stop }),
      ...(seed !== undefined && { seed }),
      ...(grammar && { grammar }),
      signal,
      onTextChunk: (text) => {
        say({ type: 'text', id, text });
      },
    });
    return {
      type: 'end',
      id,
      finishReason: metadata.stopReason === 'maxTokens' ? 'length' : 'stop',
      promptTokens: prompt.length,
      completionTokens: chat.sequence.tokenMeter.diff(before).usedOutputTokens,
    };
  }

  /** The whole conversation as the model reads it. Counted beforehand: the library would drop old turns, not refuse. */
  private tokenize(chat: LlamaChat, history: ChatHistoryItem[]): Token[] {
    const ours: ChatHistoryItem[] = history.at(-1)?.type === 'model' ? [] : [{ type: 'model', response: [] }];
    const chatHistory = [...history, ...ours];
    return this.wrapper.generateContextState({ chatHistory }).contextText.tokenize(chat.model.tokenizer);
  }
}

/**
 * Reads all but the prompt's last token, in steps. The library would read it in one go, which no signal stops and
 * which leaves the other sequence without a turn; a long prompt takes many seconds.
 */
async function readPrompt(sequence: LlamaContextSequence, prompt: Token[], signal: AbortSignal): Promise<void> {
  const most = prompt.slice(0, -1);
  await sequence.adaptStateToTokens(most, false);
  while (sequence.nextTokenIndex < most.length) {
    signal.throwIfAborted();
    const from = sequence.nextTokenIndex;
    await sequence.evaluateWithoutGeneratingNewTokens(most.slice(from, from + READ_STEP_TOKENS));
  }
}

function reasonOf(error: unknown): 'context' | 'format' | 'internal' {
  if (error instanceof ContextExceeded) return 'context';
  return error instanceof FormatRefused ? 'format' : 'internal';
}

const running = new Map<number, AbortController>();
let engine: Engine | undefined;

async function load(message: LoadMessage): Promise<void> {
  try {
    await access(message.modelPath);
  } catch {
    say({ type: 'unloadable', reason: 'missing' });
    return;
  }
  try {
    engine = await Engine.load(message);
    say({ type: 'ready' });
  } catch (error) {
    process.stderr.write(`${String(error)}\n`);
    say({ type: 'unloadable', reason: 'unloadable' });
  }
}

async function generate(message: GenerateMessage): Promise<void> {
  const { id } = message;
  const controller = new AbortController();
  running.set(id, controller);
  try {
    if (!engine) throw new Error('not loaded');
    say(await engine.generate(message, controller.signal));
  } catch (error) {
    const reason = controller.signal.aborted ? 'aborted' : reasonOf(error);
    if (reason === 'internal') process.stderr.write(`${String(error)}\n`);
    say({ type: 'failed', id, reason });
  } finally {
    running.delete(id);
  }
}

process.on('message', (raw) => {
  const message = ToChild.parse(raw);
  if (message.type === 'load') void load(message);
  else if (message.type === 'generate') void generate(message);
  else running.get(message.id)?.abort();
});

// A Ctrl-C reaches the whole group, and the parent still has answers to finish. It closes the channel when it is done.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);

// By signal and not by `exit`: that would wait for native work in progress.
process.on('disconnect', () => {
  process.kill(process.pid, 'SIGKILL');
});
