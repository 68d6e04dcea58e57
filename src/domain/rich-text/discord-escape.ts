import type { Stretch } from './marks.js';
import { endOf } from './marks.js';

/** Takes no room, and parts what must not be read together. */
export const APART = '\u200b';

/** An address in a text, and how it is written so that it leads to where it says, and no further. */
export interface Address extends Stretch {
  written: string;
}

const MARKUP = /[\\*_~`|[\]<]/g;
/** What means something at the beginning of a line alone: headings, quotations, lists, small print. */
const LINE_BEGINS = /[^\S\n]*(?:(?<signs>[#>]{1,3}|[-+])|\d{1,9}(?=[.)]))/y;
/** `:smile:`, and whatever else stands between two colons; the colon of an address. */
const COLON = /:(?=[^\s:]*:)|(?<=\w):(?=\/\/)/g;
const PING = /@(?=everyone|here)/gi;

const ADDRESS = /https?:\/\/[^\s<]+/g;
const BEHIND_ADDRESS = /[.,:;"')\]]*$/;
/** What Discord and we agree on that it is an address; others are shown as text. */
const PLAIN_ADDRESS = /^https?:\/\/[\p{L}\p{N}](?:[\p{L}\p{N}._-]*[\p{L}\p{N}])?(?::\d+)?(?:[/?#].*)?$/u;
const SHORTEST = 'https://ab'.length;

/** An address in angle brackets: Discord sees where it ends, and shows no preview. */
export const inAngles = (url: string): string => `<${url.replaceAll(/[\s<>]/g, encodeURIComponent)}>`;

/** An address in the round brackets behind the words of a link: none of its characters ends them. */
export const inBrackets = (url: string): string =>
  url.replaceAll(/[\s<>()\\]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);

/**
 * The addresses that stand in a text as such. `edges`, in order, are where something else begins or ends: an address goes
 * no further. `ends` tells where those end that are known.
 */
export function addressesIn(text: string, edges: readonly number[], ends: ReadonlyMap<number, number>): Address[] {
  const bounds = [0, ...edges, text.length];
  return bounds
    .slice(1)
    .flatMap((bound, index) => {
      const from = bounds[index] ?? 0;
      return Array.from(text.slice(from, bound).matchAll(ADDRESS), ({ 0: run, index: behind }) => {
        const at = from + behind;
        const next = text.charAt(at + run.length);
        // What stands there would be taken for a part of the address, or the backslash before it.
        const cut = next === '<' || (at + run.length === bound && /\S/.test(next));
        return addressAt(run, at, ends.get(at), cut);
      });
    })
    .filter((address) => address !== undefined);
}

function addressAt(run: string, at: number, end: number | undefined, cut: boolean): Address | undefined {
  const core = end === undefined ? run.replace(BEHIND_ADDRESS, '') : run.slice(0, end - at);
  const known = end !== undefined;
  if (core.length < SHORTEST || !PLAIN_ADDRESS.test(core)) return known ? angled(core, at) : undefined;
  const goesOn = run.slice(core.length).replace(BEHIND_ADDRESS, '') !== '';
  return cut || goesOn ? angled(core, at) : { at, length: run.length, written: run };
}

/** An address that ends before what follows it, or before what ends the brackets. */
function angled(core: string, at: number): Address {
  const [url = ''] = core.split('>');
  return { at, length: url.length, written: inAngles(url) };
}

/** What would mean something if a line began here: the places of its signs. */
function signsAt(text: string, begin: number): number[] {
  LINE_BEGINS.lastIndex = begin;
  const match = LINE_BEGINS.exec(text);
  if (!match) return [];
  const end = begin + match[0].length;
  const { signs = '' } = match.groups ?? {};
  return signs === '' ? [end] : Array.from(signs, (_, index) => end - 1 - index);
}

/**
 * A text as Discord has to be told it so that it shows it as it is: for each UTF-16 unit what is written for it. Addresses
 * are not touched: a backslash in one would be part of it. `begins` are places that may be read like the beginning of a
 * line, as that of a mark.
 */
export function escapedUnits(text: string, addresses: readonly Address[], begins: readonly number[]): string[] {
  const units = text.split('');
  const escape = (at: number): void => {
    units[at] = `\\${text.charAt(at)}`;
  };
  for (const { index } of [...text.matchAll(MARKUP), ...text.matchAll(COLON)]) escape(index);
  const lines = Array.from(text.matchAll(/\n/g), ({ index }) => index + 1);
  for (const begin of [0, ...lines, ...begins]) signsAt(text, begin).forEach(escape);
  for (const { index } of text.matchAll(PING)) units[index] = `@${APART}`;
  for (const address of addresses) {
    units.fill('', address.at, endOf(address));
    units[address.at] = address.written;
  }
  return units;
}
