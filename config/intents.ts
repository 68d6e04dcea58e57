import { readFileSync } from 'node:fs';
import { RE2JS, RE2JSException } from 're2js';
import type { Wording } from '../src/contracts/conversation.js';
import { LARGEST_PATTERN } from '../src/contracts/routing.js';
import { Complaints } from './complaints.js';
import { IssueTeller } from './explain-issues.js';
import { intentsJsonSchema, IntentsSchema } from './intents-schema.js';
import { locate, plain } from './nodes.js';
import { packagePath } from './paths.js';
import { readYaml } from './yaml-text.js';

/** Groups that arguments name. */
const PLACE = /\{(\w+)\}/g;

/** What is wrong with a pattern; undefined: nothing. */
function objection(pattern: string, args: string): string | undefined {
  try {
    const compiled = RE2JS.compile(pattern, RE2JS.CASE_INSENSITIVE);
    const size = compiled.programSize();
    if (size > LARGEST_PATTERN) return `the pattern is too large: ${size} instructions, at most ${LARGEST_PATTERN}`;
    const groups = Object.keys(compiled.namedGroups());
    const unused = groups.find((name) => !args.includes(`{${name}}`));
    return unused === undefined ? undefined : `the group ${unused} is not in args: write {${unused}} there`;
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    return 'not a regular expression (RE2 syntax)';
  }
}

/**
 * Reads wording from the text of a file.
 * @param file how complaints call it
 * @throws AppError `CONFIG_INVALID` whose lines are `file:line:column: path: reason`
 */
export function readIntentsText(text: string, file: string): Wording {
  const root = readYaml(text, file);
  const complaints = new Complaints();
  const parsed = IntentsSchema.safeParse(plain(root));
  if (!parsed.success) {
    new IssueTeller(root, complaints, intentsJsonSchema()).tell(parsed.error.issues);
    complaints.throwIfAny();
    throw new Error('unreachable');
  }
  const { intents, fillers } = parsed.data;
  intents.forEach(({ patterns, args }, index) => {
    for (const [language, all] of Object.entries(patterns)) {
      all.forEach((pattern, at) => {
        const path = ['intents', index, 'patterns', language, at];
        const reason = objection(pattern, args);
        if (reason !== undefined) complaints.add(locate(root, path).at, path, reason);
      });
    }
    const named = new Set(Object.values(patterns).flatMap((all) => all.flatMap(groupsOf)));
    const missing = [...args.matchAll(PLACE)].map(([, name = '']) => name).find((name) => !named.has(name));
    const path = ['intents', index, 'args'];
    if (missing !== undefined) complaints.add(locate(root, path).at, path, `no pattern has a group (?P<${missing}>…)`);
  });
  complaints.throwIfAny();
  return {
    fillers: Object.values(fillers).flat(),
    intents: intents.map(({ command, args, max_length: maxLength, patterns }) => ({
      ...{ command, args, maxLength, patterns: Object.values(patterns).flat() },
    })),
  };
}

const groupsOf = (pattern: string): string[] => [...pattern.matchAll(/\(\?P?<(\w+)>/g)].map(([, name = '']) => name);

/** The wording that comes along. @throws AppError `CONFIG_INVALID` */
export function loadIntents(): Wording {
  const file = packagePath('config', 'intents.yml');
  return readIntentsText(readFileSync(file, 'utf8'), file);
}
