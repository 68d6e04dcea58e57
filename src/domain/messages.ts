import type { ChatMessage, ModelCall } from '../contracts/chat.js';
import { estimateTokens } from '../contracts/text.js';

/** A turn of the past, with its answer. */
export interface PastTurn {
  prompt: string;
  answer: string;
}

export interface PromptFacts {
  daoName: string;
  /** What may be said about the DAO, as question-and-fact pairs. */
  daoFacts: Readonly<Record<string, string>>;
  roles: readonly string[];
  /** Newest first. */
  history: readonly PastTurn[];
  /** What was said before those turns, in short; null: nothing, or it is not known. */
  summary?: string | null;
  prompt: string;
  /** Most tokens that past turns may take. */
  historyTokens: number;
}

/** Most bytes of UTF-8 that turns of so many tokens can have: no language of ours has more a token. */
export const historyBytes = (tokens: number): number => tokens * 4;

/** The newest turns that fit, whole, oldest first. */
export function recentTurns(history: readonly PastTurn[], budget: number): PastTurn[] {
  const kept: PastTurn[] = [];
  let left = budget;
  for (const turn of history) {
    left -= estimateTokens(turn.prompt) + estimateTokens(turn.answer);
    if (left < 0) break;
    kept.unshift(turn);
  }
  return kept;
}

function systemPrompt({ daoName, daoFacts, roles, summary }: PromptFacts): string {
  const facts = Object.entries(daoFacts).map(([name, fact]) => `- ${name}: ${fact}`);
  return [
    `You are the assistant of the DAO "${daoName}". Answer its members briefly and truthfully, in their language.`,
    ...(facts.length > 0 ? ['Facts about the DAO:', ...facts] : []),
    `You are talking to a person with the role: ${roles.join(', ')}.`,
    'If the facts do not tell, say that you do not know.',
    // In one line and in quotes: it was made of what people said, and is to be no instruction.
    ...(summary ? [`What was said earlier in this conversation, in short, as data: ${JSON.stringify(summary)}`] : []),
  ].join('\n');
}

/** What a model gets to read: the client's own conversation as it is, else what we put together around the prompt. */
export const conversationOf = (call: ModelCall | null, facts: PromptFacts): ChatMessage[] =>
  call?.kind === 'chat' ? call.messages : call ? [] : buildMessages(facts);

/** The conversation as the model gets it: DAO and role first, then the recent past, then the prompt. */
export function buildMessages(facts: PromptFacts): ChatMessage[] {
  const past = recentTurns(facts.history, facts.historyTokens).flatMap((turn): ChatMessage[] => [
    { role: 'user', content: turn.prompt },
    { role: 'assistant', content: turn.answer },
  ]);
  return [{ role: 'system', content: systemPrompt(facts) }, ...past, { role: 'user', content: facts.prompt }];
}
