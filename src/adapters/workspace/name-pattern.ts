/** Whether a character is meant; none: any number of characters. */
type Token = ((character: string) => boolean) | undefined;

/** A pattern for one name. */
export class NamePattern {
  constructor(private readonly tokens: readonly Token[]) {}

  /** In time of at most the product of both lengths: of several `*` only the last one is ever tried again. */
  matches(name: string): boolean {
    const characters = Array.from(name);
    let token = 0;
    let at = 0;
    let star = -1;
    let resume = 0;
    while (at < characters.length) {
      const wanted = this.tokens[token];
      if (token < this.tokens.length && wanted === undefined) {
        star = token;
        resume = at;
        token += 1;
      } else if (wanted?.(characters[at] ?? '')) {
        token += 1;
        at += 1;
      } else if (star === -1) {
        return false;
      } else {
        token = star + 1;
        resume += 1;
        at = resume;
      }
    }
    return this.tokens.slice(token).every((left) => left === undefined);
  }
}

/** The pattern that a name in a glob is. */
export function namePattern(text: string): NamePattern {
  const characters = Array.from(text);
  const tokens: Token[] = [];
  for (let at = 0; at < characters.length;) {
    const [token, length] = tokenAt(characters, at);
    tokens.push(token);
    at += length;
  }
  return new NamePattern(tokens);
}

function tokenAt(characters: readonly string[], at: number): [token: Token, length: number] {
  const character = characters[at] ?? '';
  if (character === '*') return [undefined, 1];
  if (character === '?') return [() => true, 1];
  if (character === '[') return setAt(characters, at) ?? [literal('['), 1];
  if (character === '\\' && at + 1 < characters.length) return [literal(characters[at + 1] ?? ''), 2];
  return [literal(character), 1];
}

const literal =
  (wanted: string): Token =>
  (character) =>
    character === wanted;

/** A set of characters such as `[a-z_]`; undefined if it is not closed. */
function setAt(characters: readonly string[], start: number): [token: Token, length: number] | undefined {
  const isNegated = characters[start + 1] === '!' || characters[start + 1] === '^';
  const first = start + (isNegated ? 2 : 1);
  // One that comes first is a member.
  const end = characters.indexOf(']', first + 1);
  if (end === -1) return undefined;
  const ranges: [low: string, high: string][] = [];
  for (let at = first; at < end;) {
    const low = characters[at] ?? '';
    const isRange = characters[at + 1] === '-' && at + 2 < end;
    ranges.push([low, isRange ? (characters[at + 2] ?? low) : low]);
    at += isRange ? 3 : 1;
  }
  const holds = (character: string): boolean => ranges.some(([low, high]) => isWithin(character, low, high));
  return [(character) => holds(character) !== isNegated, end - start + 1];
}

const point = (character: string): number => character.codePointAt(0) ?? 0;
const isWithin = (character: string, low: string, high: string): boolean =>
  point(character) >= point(low) && point(character) <= point(high);
