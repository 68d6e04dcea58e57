import type { Language } from '../../contracts/dialog.js';
import type { Phrases } from './phrase-book.js';
import { ENGLISH } from './phrases-en.js';
import { UKRAINIAN } from './phrases-uk.js';

export type { Phrases } from './phrase-book.js';

const PHRASES: Readonly<Record<Language, Phrases>> = { en: ENGLISH, uk: UKRAINIAN };

export const phrasesIn = (language: Language): Phrases => PHRASES[language];
