/**
 * What Discord shows of a message, by the rules of its Markdown as its clients have them: tried in order at every place,
 * the first that fits is taken. Written from those rules and not from what we write, and stricter where clients differ.
 */
export interface Shown {
  text: string;
  /** Every sign that was taken for markup, with what it covers: UTF-16 units of the text. */
  marks: { kind: string; at: number; length: number; url?: string; language?: string }[];
}

interface Place {
  source: string;
  /** Whether nothing stands before it on its line. */
  lineBegins: boolean;
  inQuote: boolean;
}

interface Taken {
  length: number;
  kind?: string;
  /** What is shown: as it is, or read again. */
  text?: string;
  inside?: string;
  url?: string;
  language?: string;
}

type Rule = (place: Place) => Taken | undefined;

const byPattern =
  (pattern: RegExp, taken: (match: RegExpExecArray) => Omit<Taken, 'length'>): Rule =>
  ({ source }) => {
    const match = pattern.exec(source);
    return match ? { length: match[0].length, ...taken(match) } : undefined;
  };

const atLineBegin =
  (rule: Rule): Rule =>
  (place) =>
    place.lineBegins ? rule(place) : undefined;

/** The first place behind `from` where the sign stands, and not once more; what a backslash is before is skipped. */
function closing(source: string, sign: string, from: number, escapes = true): number {
  for (let at = from; at < source.length; at += 1) {
    if (escapes && source[at] === '\\') at += 1;
    else if (
      at > from &&
      source.startsWith(sign, at) &&
      (sign === '~~' || sign === '||' || source[at + sign.length] !== sign[0])
    )
      return at;
  }
  return -1;
}

const paired =
  (kind: string, sign: string, escapes = true): Rule =>
  ({ source }) => {
    if (!source.startsWith(sign)) return undefined;
    const end = closing(source, sign, sign.length, escapes);
    return end < 0 ? undefined : { length: end + sign.length, kind, inside: source.slice(sign.length, end) };
  };

/** One asterisk: no blank behind it, pairs of asterisks within it belong to bold words. */
const starred: Rule = ({ source }) => {
  if (!/^\*\S/.test(source)) return undefined;
  for (let at = 1; at < source.length; at += 1) {
    if (source[at] === '\\') at += 1;
    else if (source[at] === '*' && source[at + 1] !== '*') {
      if (at === 1 || /\s/.test(source[at - 1]!)) return undefined;
      return { length: at + 1, kind: 'italic', inside: source.slice(1, at) };
    } else if (source[at] === '*') at += 1;
  }
  return undefined;
};

/** One underscore: closes where no word goes on behind it. */
const underscored: Rule = ({ source }) => {
  if (!source.startsWith('_')) return undefined;
  for (let at = 1; at < source.length; at += 1) {
    if (source[at] === '\\' || source.startsWith('__', at)) at += 1;
    else if (source[at] === '_' && at > 1 && !/\w/.test(source[at + 1] ?? ''))
      return { length: at + 1, kind: 'italic', inside: source.slice(1, at) };
  }
  return undefined;
};

/** Of bold, italic and underlined the longest is taken; of equals the italic one, then the bold one. */
const emphasis: Rule = (place) =>
  [starred, underscored, paired('bold', '**'), paired('underline', '__')]
    .flatMap((rule) => rule(place) ?? [])
    .reduce<Taken | undefined>((best, one) => (best && best.length >= one.length ? best : one), undefined);

const code: Rule = ({ source }) => {
  const fence = /^`+/.exec(source)?.[0];
  if (!fence) return undefined;
  for (const { 0: run, index } of source.matchAll(/`+/g)) {
    if (index === 0 || run.length !== fence.length) continue;
    const text = source
      .slice(fence.length, index)
      .replace(/^ (?= *`)/, '')
      .replace(/(?<=` *) $/, '');
    return { length: index + run.length, kind: 'code', text };
  }
  return undefined;
};

const address: Rule = ({ source }) => {
  let url = /^(?:https?|steam|discord):\/\/[^\s<]+[^<.,:;"'\]\s]/.exec(source)?.[0];
  if (url === undefined) return undefined;
  while (url.endsWith(')') && url.split(')').length > url.split('(').length) url = url.slice(0, -1);
  return { length: url.length, kind: 'link', text: url, url };
};

const maskedLink: Rule = ({ source }) => {
  const match = /^\[((?:\[[^\]]*\]|[^[\]])*)\]\(<?([^\s<>\\]*?)>?\)/.exec(source);
  // Words that are an address themselves make no link.
  if (!match || match[1]!.includes('://') || !/^https?:\/\//.test(match[2]!)) return undefined;
  return { length: match[0].length, kind: 'link', inside: match[1]!, url: match[2]! };
};

const quote: Rule = ({ source, inQuote }) => {
  if (inQuote) return undefined;
  const all = /^ *>>> ([\s\S]*)/.exec(source);
  if (all) return { length: all[0].length, kind: 'quote', inside: all[1]! };
  const lines = /^(?: *> [^\n]*\n?)+/.exec(source)?.[0];
  return lines === undefined
    ? undefined
    : { length: lines.length, kind: 'quote', inside: lines.replaceAll(/^ *> /gm, '') };
};

const RULES: readonly Rule[] = [
  atLineBegin(byPattern(/^ *#{1,3}\s+([^\n]+)/, ([, inside]) => ({ kind: 'heading', inside: inside! }))),
  atLineBegin(byPattern(/^ *-#\s+([^\n]+)/, ([, inside]) => ({ kind: 'small', inside: inside! }))),
  byPattern(/^```(?:([a-z0-9_+\-.#]+?)\n)?\n*([^\n][\s\S]*?)\n*```/i, ([, language, text]) => ({
    kind: 'pre',
    text: text!,
    ...(language && { language }),
  })),
  atLineBegin(quote),
  atLineBegin(byPattern(/^ *(?:[-*+]|\d+[.)])(?= |\n|$)/, ([text]) => ({ kind: 'list', text }))),
  byPattern(/^\\([^0-9A-Za-z\s])/, ([, text]) => ({ text: text! })),
  byPattern(/^<([^: >]+:\/[^ >]+|[^ >]+@[^ >]+)>/, ([, url]) => ({ kind: 'link', text: url!, url: url! })),
  byPattern(/^<(?:@[!&]?\d+|#\d+|a?:\w+:\d+|t:-?\d+(?::\w)?|\/[^>]+:\d+|id:\w+)>/, ([text]) => ({
    kind: 'call',
    text,
  })),
  byPattern(/^@(?:everyone|here)/i, ([text]) => ({ kind: 'call', text })),
  address,
  maskedLink,
  emphasis,
  paired('strike', '~~', false),
  paired('spoiler', '||', false),
  code,
  byPattern(/^:[\w+-]+(?:::skin-tone-\d)?:/, ([text]) => ({ kind: 'emoji', text })),
  byPattern(/^\n/, ([text]) => ({ text })),
  byPattern(/^[\s\S]+?(?=[^0-9A-Za-z\s\u00c0-\uffff]|\n|\w+:\S|$)/, ([text]) => ({ text })),
];

function read(whole: string, shown: Shown, inQuote = false): void {
  for (let at = 0; at < whole.length;) {
    const place = { source: whole.slice(at), lineBegins: at === 0 || whole[at - 1] === '\n', inQuote };
    const taken = RULES.reduce<Taken | undefined>((found, rule) => found ?? rule(place), undefined)!;
    const mark = { kind: taken.kind ?? '', at: shown.text.length, length: 0, ...(taken.url && { url: taken.url }) };
    if (taken.kind) shown.marks.push({ ...mark, ...(taken.language && { language: taken.language }) });
    const index = shown.marks.length - 1;
    if (taken.inside === undefined) shown.text += taken.text ?? '';
    else read(taken.inside, shown, inQuote || taken.kind === 'quote');
    if (taken.kind) shown.marks[index]!.length = shown.text.length - mark.at;
    at += taken.length;
  }
}

/** What a message shows. */
export function discordShows(message: string): Shown {
  const shown: Shown = { text: '', marks: [] };
  read(message, shown);
  return shown;
}
