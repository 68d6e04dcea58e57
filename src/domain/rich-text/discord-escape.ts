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
const LINE_BEGINS = /^[^\S\n]*(?:(?<signs>[#>]{1,3}|[-+])|\d{1,9}(?=(?<dot>[.)])))/gm;
/** `:smile:`, and whatever else stands between two colons; the colon of an address. */
const COLON = /:(?=[^\s:]+:)|(?<=\w):(?=\/\/)/g;
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
  const found: Address[] = [];
  let edge = 0;
  for (const { 0: run, index } of text.matchAll(ADDRESS)) {
    while (edge < edges.length && edges[edge]! <= index) edge += 1;
    const end = Math.min(index + run.length, edges[edge] ?? Infinity);
    const address = addressAt(text.slice(index, end), index, ends.get(index), end < index + run.length);
    if (address) found.push(address);
  }
  return found;
}

function addressAt(run: string, at: number, end: number | undefined, cut: boolean): Address | undefined {
  const core = end === undefined ? run.replace(BEHIND_ADDRESS, '') : run.slice(0, end - at);
  const known = end !== undefined;
  if (core.length < SHORTEST || !PLAIN_ADDRESS.test(core)) return known ? angled(core, at) : undefined;
  const goesOn = run.slice(core.length).replace(BEHIND_ADDRESS, '') !== '';
  return cut || goesOn ? angled(core, at) : { at, length: run.length, written: run };
}

const angled = (core: string, at: number): Address => ({ at, length: core.length, written: inAngles(core) });

/**
 * A text as Discord has to be told it so that it shows it as it is: for each UTF-16 unit what is written for it. Addresses
 * are not touched: a backslash in one would be part of it.
 */
export function escapedUnits(text: string, addresses: readonly Address[]): string[] {
  const units = text.split('');
  const escape = (at: number): void => {
    units[at] = `\\${text.charAt(at)}`;
  };
  for (const { index } of [...text.matchAll(MARKUP), ...text.matchAll(COLON)]) escape(index);
  for (const { 0: found, index, groups } of text.matchAll(LINE_BEGINS)) {
    const end = index + found.length;
    if (groups?.['dot']) escape(end);
    for (let at = end - (groups?.['signs']?.length ?? 0); at < end; at += 1) escape(at);
  }
  for (const { index } of text.matchAll(PING)) units[index] = `@${APART}`;
  for (const address of addresses) {
    units.fill('', address.at, endOf(address));
    units[address.at] = address.written;
    // A backslash would be taken for the end of the address.
    if (text.charAt(endOf(address)) === '<') units[endOf(address)] = `<${APART}`;
  }
  return units;
}
