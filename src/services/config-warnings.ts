import { dirname, sep } from 'node:path';

/** A file that was not taken at all. */
export interface Refused {
  at: Date;
  /** As the loader says it: with paths and values, for operators alone. */
  reason: string;
}

/** What warnings are made of. */
export interface ConfigSituation {
  active: { file: string; warnings: readonly string[] } | undefined;
  refused: Refused | undefined;
  waiting: { config: { hash: string }; reasons: readonly string[] } | undefined;
  /** Whether a change could not be checked for want of the database. */
  unchecked: boolean;
}

const LONGEST = 300;

/** What an operator should know of the configuration. Anybody may read it: no values, and of paths the last part alone. */
export function configWarnings({ active, refused, waiting, unchecked }: ConfigSituation): string[] {
  const warnings = (active?.warnings ?? []).map((warning) => withoutFolders(warning, active?.file));
  if (refused) {
    warnings.push(`profile refused at ${refused.at.toISOString()}: ${publicComplaint(refused.reason, active?.file)}`);
  }
  if (waiting) {
    const { hash } = waiting.config;
    const why = waiting.reasons.join('; ');
    warnings.push(
      `profile ${hash} waits to be confirmed: ${why}. Confirm it with: dagi config apply --confirm ${hash}`,
    );
  }
  if (unchecked) warnings.push('a change of the profile could not be checked yet: the database does not answer');
  return warnings;
}

/** A text in which files have their names alone. @param file whose folder is known: it may have spaces in its name */
function withoutFolders(text: string, file = ''): string {
  const folder = dirname(file) + sep;
  const known = folder.length > 2 ? text.replaceAll(folder, '') : text;
  return known.replace(/(?:[A-Za-z]:)?[\\/](?:[^\\/\s:]+[\\/])+/g, '');
}

/** The first line of a complaint without what it quotes, and without folders. */
export function publicComplaint(reason: string, file = ''): string {
  const [first = ''] = reason.split('\n');
  const told = first.replace(/"[^"]*"|'[^']*'|`[^`]*`|“[^”]*”/g, '"…"').replace(/\b[a-z][a-z0-9+.-]*:\/\/\S+/gi, '…');
  return withoutFolders(told, file).slice(0, LONGEST);
}
