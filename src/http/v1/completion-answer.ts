import type { TokenLogprob } from '../../contracts/chat.js';
import type { Head } from './chat-answer.js';
import type { ChunkForm } from './chunks.js';
import { finishReasonOf, openAiUsage, type Answer } from './outcome.js';

/** Probabilities as they were told before there were chats: a list for each of their parts. */
function logprobsOf(tokens: readonly TokenLogprob[] | undefined, from: number): object | null {
  if (!tokens) return null;
  let next = from;
  const offsets = tokens.map(({ token }) => {
    const offset = next;
    next += token.length;
    return offset;
  });
  return {
    tokens: tokens.map(({ token }) => token),
    token_logprobs: tokens.map(({ logprob }) => logprob),
    top_logprobs: tokens.map(({ top_logprobs: others }) =>
      Object.fromEntries(others.map(({ token, logprob }) => [token, logprob])),
    ),
    text_offset: offsets,
  };
}

const choice = (text: string, logprobs: object | null, finish: string | null): object => ({
  index: 0,
  text,
  logprobs,
  finish_reason: finish,
});

const base = ({ id, created, model }: Head): object => ({ id, object: 'text_completion', created, model });

/** The body of `/v1/completions`, whole. */
export function textCompletion(head: Head, { data, usage }: Answer): object {
  const choices = [choice(data.text, logprobsOf(data.logprobs, 0), finishReasonOf(data, false))];
  return { ...base(head), choices, usage: openAiUsage(usage) };
}

/** Chunks of `/v1/completions`. What a model reasons, and tools, have no place there. */
export class CompletionChunks implements ChunkForm {
  private told = 0;

  constructor(private readonly head: Head) {}

  first(): object[] {
    return [];
  }

  token({ text, logprobs }: { text: string; logprobs?: TokenLogprob[] }): object[] {
    const from = this.told;
    this.told += text.length;
    return [this.chunk(text, logprobsOf(logprobs, from), null)];
  }

  reasoning(): object[] {
    return [];
  }

  toolCall(): object[] {
    return [];
  }

  last({ data }: Answer): object[] {
    return [this.chunk('', null, finishReasonOf(data, false))];
  }

  usage(usage: object): object {
    return { ...base(this.head), choices: [], usage };
  }

  private chunk(text: string, logprobs: object | null, finish: string | null): object {
    return { ...base(this.head), choices: [choice(text, logprobs, finish)] };
  }
}
