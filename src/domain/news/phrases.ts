import type { Language } from '../../contracts/dialog.js';
import type { NewsPhrases } from './phrase-book.js';
import { NEWS_EN } from './phrases-en.js';
import { NEWS_UK } from './phrases-uk.js';

export type { NewsPhrases } from './phrase-book.js';

const PHRASES: Readonly<Record<Language, NewsPhrases>> = { en: NEWS_EN, uk: NEWS_UK };

export const newsPhrasesIn = (language: Language): NewsPhrases => PHRASES[language];
