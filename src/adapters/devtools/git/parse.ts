import type { GitDiffResult, GitLogResult, GitStatusResult } from '../../../contracts/devtools.js';
import { below } from '../tool-run.js';

type StatusEntry = GitStatusResult['entries'][number];
type DiffFile = GitDiffResult['files'][number];
type Commit = GitLogResult['commits'][number];

/** How many fields stand before the path of an entry, by its first letter. */
const FIELDS: Readonly<Record<string, number>> = { '1': 8, '2': 9, u: 10 };

/**
 * Reads `git status --porcelain=v2 -z --branch`. What was cut off at its end is left out.
 * @param top folder of the repository, relative to the workspace: paths are told from there
 */
export function parseStatus(text: string, top: string): Pick<GitStatusResult, 'branch' | 'head' | 'entries'> {
  const records = text.split('\0').slice(0, -1);
  const result = { branch: null as string | null, head: null as string | null, entries: [] as StatusEntry[] };
  for (let at = 0; at < records.length; at += 1) {
    const record = records[at] ?? '';
    if (record.startsWith('# branch.oid ')) result.head = unless(record.slice(13), '(initial)');
    else if (record.startsWith('# branch.head ')) result.branch = unless(record.slice(14), '(detached)');
    else if (!record.startsWith('#')) {
      // A renamed file has its former path in a record of its own.
      const former = record.startsWith('2 ') ? records[(at += 1)] : undefined;
      result.entries.push(statusEntry(record, former, top));
    }
  }
  return result;
}

const unless = (word: string, none: string): string | null => (word === none ? null : word);

function statusEntry(record: string, former: string | undefined, top: string): StatusEntry {
  const fields = record.split(' ');
  const [kind = '', letters = '..'] = fields;
  if (kind === '?') return { path: below(top, record.slice(2)), index: '?', worktree: '?' };
  const path = below(top, fields.slice(FIELDS[kind] ?? 1).join(' '));
  const entry = { path, index: letters[0] ?? '.', worktree: letters[1] ?? '.' };
  return former === undefined ? entry : { ...entry, renamed_from: below(top, former) };
}

/** Reads `git diff --numstat --patch -z`: counts end with an empty record, then comes the patch. */
export function parseDiff(text: string, top: string): Pick<GitDiffResult, 'diff' | 'files'> {
  const files: DiffFile[] = [];
  let rest = text;
  for (;;) {
    const record = /^(\d+|-)\t(\d+|-)\t([^\0]*)\0/.exec(rest);
    if (!record) break;
    const [whole, added = '-', removed = '-', path = ''] = record;
    rest = rest.slice(whole.length);
    // A renamed file has an empty path here, and after that its former and its new one.
    const renamed = path === '' ? /^[^\0]*\0([^\0]*)\0/.exec(rest) : null;
    rest = rest.slice(renamed?.[0].length ?? 0);
    files.push({ path: below(top, renamed?.[1] ?? path), added: countOf(added), removed: countOf(removed) });
  }
  return { files, diff: rest.startsWith('\0') ? rest.slice(1) : '' };
}

const countOf = (word: string): number | null => (word === '-' ? null : Number(word));

/** What `git log` is asked to write for each commit. */
export const LOG_FORMAT = ['%H', '%an <%ae>', '%aI', '%s', '%b'].join('%x00');
const LOG_FIELDS = 5;
const BODY_CHARS = 4_096;

/** Reads `git log -z` of our format; a commit that was cut off is left out. */
export function parseLog(text: string): Commit[] {
  const fields = text.split('\0').slice(0, -1);
  const commits: Commit[] = [];
  for (let at = 0; at + LOG_FIELDS <= fields.length; at += LOG_FIELDS) {
    const [hash = '', author = '', date = '', subject = '', body = ''] = fields.slice(at, at + LOG_FIELDS);
    const told = body.trim().slice(0, BODY_CHARS);
    commits.push({ hash, author, date, subject, ...(told && { body: told }) });
  }
  return commits;
}
