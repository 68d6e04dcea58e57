import { AppError } from '../../errors/app-error.js';
import { namePattern, type NamePattern } from './name-pattern.js';

const LONGEST_GLOB = 256;
const MOST_ALTERNATIVES = 64;
/** Any number of names. */
const ANY_DEPTH = '**';

/** How far a path has come in each alternative of a glob; empty: neither it nor anything below it can match. */
export type GlobState = readonly (readonly [alternative: number, position: number])[];

/**
 * A glob, matched name by name, so that folders in which nothing can match need not be opened. The time is bounded by
 * the lengths of glob and path, whatever they are, as that of a regular expression made of a glob is not.
 *
 * `*` and `?` stand for characters of a name, `**` for any number of names, `[a-z]` and `[!a-z]` for a character,
 * `{a,b}` for alternatives; `\` takes a character as it stands. Without a `/` it is matched against the last name.
 */
export class Glob {
  private readonly alternatives: readonly (readonly (NamePattern | typeof ANY_DEPTH)[])[];

  /** @throws AppError `BODY_INVALID` */
  constructor(glob: string) {
    if (glob.length > LONGEST_GLOB) throw unfit(`is longer than ${LONGEST_GLOB} characters`);
    if (glob.startsWith('!')) throw unfit('begins with "!", which is not understood here');
    this.alternatives = expand(glob).map(namesOf);
  }

  get start(): GlobState {
    return this.settle(this.alternatives.map((_, alternative) => [alternative, 0] as const));
  }

  /** The state one name further down. */
  step(state: GlobState, name: string): GlobState {
    return this.settle(
      state.flatMap(([alternative, position]) => {
        const wanted = this.alternatives[alternative]?.[position];
        if (wanted === undefined) return [];
        if (wanted === ANY_DEPTH) return [[alternative, position] as const];
        return wanted.matches(name) ? [[alternative, position + 1] as const] : [];
      }),
    );
  }

  matches(state: GlobState): boolean {
    return state.some(([alternative, position]) => position === this.alternatives[alternative]?.length);
  }

  /** `**` may also stand for no name. */
  private settle(state: GlobState): GlobState {
    const seen = new Map<string, readonly [number, number]>();
    for (const [alternative, from] of state) {
      let position = from;
      seen.set(`${alternative}:${position}`, [alternative, position]);
      while (this.alternatives[alternative]?.[position] === ANY_DEPTH) {
        position += 1;
        seen.set(`${alternative}:${position}`, [alternative, position]);
      }
    }
    return [...seen.values()];
  }
}

function namesOf(glob: string): (NamePattern | typeof ANY_DEPTH)[] {
  // As in .gitignore: a `/` at the front or in the middle binds it to the top.
  const trimmed = glob.replace(/^\//, '').replace(/\/$/, '');
  const names = trimmed.split('/').filter((name) => name !== '.');
  if (names.includes('')) throw unfit('has an empty name in it');
  if (names.includes('..')) throw unfit('leads out of the workspace');
  const bound = glob.slice(0, -1).includes('/') ? names : [ANY_DEPTH, ...names];
  // What is in a folder is not the folder, here as in ripgrep.
  if (bound.at(-1) === ANY_DEPTH) bound.push('*');
  return bound.map((name) => (name === ANY_DEPTH ? ANY_DEPTH : namePattern(name)));
}

/** The glob once for each way through its braces. */
function expand(glob: string, found: string[] = []): string[] {
  const brace = firstBrace(glob);
  if (brace === undefined) {
    if (found.length === MOST_ALTERNATIVES) throw unfit(`has more than ${MOST_ALTERNATIVES} alternatives`);
    found.push(glob);
    return found;
  }
  const [before, options, after] = brace;
  for (const option of options) expand(before + option + after, found);
  return found;
}

type Brace = [before: string, options: string[], after: string];

/** The first braces with a comma in them, where they are closed. */
function firstBrace(glob: string): Brace | undefined {
  for (let start = 0; start < glob.length; start += 1) {
    if (glob[start] === '\\') start += 1;
    else if (glob[start] === '{') {
      const brace = braceAt(glob, start);
      if (brace !== undefined) return brace;
    }
  }
  return undefined;
}

function braceAt(glob: string, start: number): Brace | undefined {
  const options: string[] = [];
  let depth = 0;
  let from = start + 1;
  for (let end = start; end < glob.length; end += 1) {
    const character = glob[end];
    if (character === '\\') end += 1;
    else if (character === '{') depth += 1;
    else if (character === '}') depth -= 1;
    const isEnd = depth === 0;
    if (isEnd || (character === ',' && depth === 1)) {
      options.push(glob.slice(from, end));
      from = end + 1;
    }
    if (isEnd) return options.length > 1 ? [glob.slice(0, start), options, glob.slice(from)] : undefined;
  }
  return undefined;
}

const unfit = (why: string): AppError => new AppError('BODY_INVALID', `The glob ${why}.`, { param: 'glob' });
