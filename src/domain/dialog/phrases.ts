import type { Language } from '../../contracts/dialog.js';

/** What the product itself says in chats, in one language. */
export interface Phrases {
  /** Until there is a first word of an answer. */
  thinking: string;
  waiting: (position: number, seconds: number) => string;
  stopped: string;
  failed: (code: string, reason: string) => string;
  onlyText: string;
}

const ENGLISH: Phrases = {
  thinking: '…',
  waiting: (position, seconds) => `… number ${position} in the queue, about ${seconds} s`,
  stopped: '✋ Stopped.',
  failed: (code, reason) => `⚠️ ${reason} (${code})`,
  onlyText: 'I can read text only: write to me what you want to know.',
};

const UKRAINIAN: Phrases = {
  thinking: '…',
  waiting: (position, seconds) => `… ви ${position}-й у черзі, приблизно ${seconds} с`,
  stopped: '✋ Зупинено.',
  failed: (code, reason) => `⚠️ ${reason} (${code})`,
  onlyText: 'Я читаю лише текст: напишіть, що вас цікавить.',
};

const PHRASES: Readonly<Record<Language, Phrases>> = { en: ENGLISH, uk: UKRAINIAN };

export const phrasesIn = (language: Language): Phrases => PHRASES[language];
