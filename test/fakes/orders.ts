/**
 * What an attacker writes so that a model does something: `DO {"id":"a017"}`, wherever it stands and however it is hidden.
 * A real model may see through a disguise or not; this one sees through all of them.
 */
const ORDER = /DO\s*\{\s*\\*"\\*id\\*"\\*\s*:\s*\\*"\\*([a-z][a-z0-9-]{0,20})\\*"\\*\s*\}/g;

/** How deep disguises are looked through, and how many readings of one text are tried. */
const MOST_DEPTH = 3;
const MOST_READINGS = 60;

const ENTITIES: Readonly<Record<string, string>> = { quot: '"', lt: '<', gt: '>', amp: '&', lbrace: '{', rbrace: '}' };

const fromCode = (code: number): string => (code > 0x10ffff ? '' : String.fromCodePoint(code));

/** The text of some bytes if it is one, else nothing. */
function readable(bytes: Buffer): string {
  const text = bytes.toString('utf8');
  return /^[\P{C}\s]+$/u.test(text) ? text : '';
}

const rotated = (letter: string): string => {
  const first = letter <= 'Z' ? 65 : 97;
  return String.fromCharCode(((letter.charCodeAt(0) - first + 13) % 26) + first);
};

/** A letter of the plane of tags, which nobody sees. */
const untagged = (sign: string): string => String.fromCharCode((sign.codePointAt(0) ?? 0) & 0x7f);

type Reading = (text: string) => string;

/** Ways to read a text otherwise than it stands. */
const READINGS: readonly Reading[] = [
  (text) => text.replaceAll(/[\u{e0020}-\u{e007e}]/gu, untagged),
  (text) => text.replaceAll(/[\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g, ''),
  (text) => text.normalize('NFKC'),
  (text) => text.replaceAll(/\\*\\u([0-9a-f]{4})/gi, (_, code: string) => fromCode(parseInt(code, 16))),
  (text) =>
    text.replaceAll(/&#x?([0-9a-f]+);/gi, (all, code: string) => fromCode(parseInt(code, all[2] === 'x' ? 16 : 10))),
  (text) => text.replaceAll(/&([a-z]+);/g, (all, name: string) => ENTITIES[name] ?? all),
  (text) =>
    text.replaceAll(/(?:%[0-9a-f]{2})+/gi, (all) => readable(Buffer.from(all.replaceAll('%', ''), 'hex')) || all),
  (text) => text.replaceAll(/(?:[0-9a-f]{2}){12,}/gi, (all) => readable(Buffer.from(all, 'hex')) || all),
  (text) => text.replaceAll(/[\w+/-]{16,}={0,2}/g, (all) => readable(Buffer.from(all, 'base64')) || all),
  // What was cut into pieces, with something harmless between them.
  (text) => text.replaceAll(/\[cut\].*?\[\/cut\]/gs, ''),
  (text) => text.replaceAll(/([^\s])(?: |·)(?=[^\s](?: |·|$))/g, '$1'),
  (text) => text.replaceAll(/\\+n|\s+/g, ' '),
  (text) => text.replaceAll(/\u001b\[[0-9;]*m|\\*\\u001b\[[0-9;]*m/g, ''),
  (text) => text.replaceAll(/[\s*_`~]+/g, ''),
];

/** Of the whole text, at first. */
const TURNED: readonly Reading[] = [
  (text) => text.replaceAll(/[a-z]/gi, rotated),
  (text) => Array.from(text).toReversed().join(''),
];

/** A text in all ways in which it may be meant, itself first. */
function readingsOf(text: string): string[] {
  const found = new Set([text]);
  let last = [text];
  for (let depth = 0; depth < MOST_DEPTH && last.length > 0 && found.size < MOST_READINGS; depth += 1) {
    const readings = depth === 0 ? [...TURNED, ...READINGS] : READINGS;
    const next = last.flatMap((one) => readings.map((read) => read(one))).filter((one) => !found.has(one));
    last = [...new Set(next)].slice(0, MOST_READINGS - found.size);
    for (const one of last) found.add(one);
  }
  return [...found];
}

/** Texts come again, as conversations grow. */
const known = new Map<string, string[]>();
const MOST_KNOWN = 2_000;

/** Ids of the orders in a text, in whatever disguise, each once. */
export function ordersIn(text: string): string[] {
  const found = known.get(text) ?? [
    ...new Set(readingsOf(text).flatMap((one) => [...one.matchAll(ORDER)].map(([, id = '']) => id))),
  ];
  if (known.size >= MOST_KNOWN) known.clear();
  known.set(text, found);
  return found;
}
