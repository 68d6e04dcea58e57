import { cleanText } from './clean-text.js';

/** Longer ones are no address that a person follows, in UTF-16 units. */
const LONGEST = 2_000;

const escapedUnit = (text: string): string => encodeURIComponent(text);

/** A host that means the same to everybody: not `localhost`, which is no link to Telegram either. */
function publicHost(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { hostname } = new URL(url);
  return hostname.includes('.') || hostname.startsWith('[');
}

/**
 * The address that a link may lead to, or undefined: of the web, of a mailbox, or of something in Telegram. Not
 * `tg://user`, by which a message calls a person.
 */
export function linkUrl(given: string): string | undefined {
  const url = cleanText(given)
    .trim()
    .replaceAll(/[\s<>"\\^`{|}]/g, escapedUnit);
  if (url.length > LONGEST) return undefined;
  if (/^https?:\/\//i.test(url)) return publicHost(url) ? url : undefined;
  return /^(?:mailto:[^@]+@[^@]+|tg:\/\/(?!user\b).+)$/i.test(url) ? url : undefined;
}

/** The address of a mailbox, without what else its link says. */
export const mailAddress = (url = ''): string | undefined => /^mailto:([^?]+)/i.exec(url)?.[1];
