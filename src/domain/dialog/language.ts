import { LANGUAGES, type Language } from '../../contracts/dialog.js';

const count = (text: string, pattern: RegExp): number => text.match(pattern)?.length ?? 0;

/**
 * In which language somebody is answered by the product itself: the one that was chosen for the chat, else the one they
 * write in, else the one they use.
 */
export function languageFor(text: string, used: string | null, chosen: Language | null = null): Language {
  if (chosen !== null) return chosen;
  const words = text.replace(/^\/\S+/, '');
  const [cyrillic, latin] = [count(words, /\p{Script=Cyrillic}/gu), count(words, /\p{Script=Latin}/gu)];
  if (cyrillic !== latin) return cyrillic > latin ? 'uk' : 'en';
  const known = LANGUAGES.find((one) => used === one || used?.startsWith(`${one}-`) === true);
  return known ?? 'en';
}
