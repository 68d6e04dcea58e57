import type { Language } from '../../contracts/dialog.js';
import type { Source } from '../../contracts/messenger.js';
import type { Phrases } from './phrase-book.js';
import { IN_DISCORD } from './phrases-discord.js';
import { ENGLISH } from './phrases-en.js';
import { UKRAINIAN } from './phrases-uk.js';

export type { Phrases } from './phrase-book.js';

const PHRASES: Readonly<Record<Language, Phrases>> = { en: ENGLISH, uk: UKRAINIAN };
const OF_DISCORD: Readonly<Record<Language, Phrases>> = {
  en: { ...ENGLISH, ...IN_DISCORD.en },
  uk: { ...UKRAINIAN, ...IN_DISCORD.uk },
};

/** @param source the platform on which it is said; absent: any */
export const phrasesIn = (language: Language, source?: Source): Phrases =>
  (source === 'dc' ? OF_DISCORD : PHRASES)[language];
