import { join } from 'node:path';
import { Option, type Command } from 'commander';
import { counted } from './count.js';
import { exportDialogs, type DialogsExportOptions } from './dialogs-export.js';
import { resolveEnv } from './options.js';
import { clientOf, DAO_OPTION } from './people-options.js';
import { Pseudonyms } from './pseudonyms.js';
import { parseSince } from './usage.js';

const HELP = `
Writes dialog-ID.json for each dialog: dialog_id, timestamp, user_id, dao_id, prompts with text, response_time_ms, provider,
rbac_role and status, and insights, which are what members said of the answers. As an admin of the DAO you get all of
its dialogs, else your own.

Ids of people are replaced by names that hold for this export alone. Whatever else people wrote stays as it is, names
of people too: what is exported is still personal.

Examples:
  $ npx dagi dialogs export --dao greenfood-dao --since 7d
  $ npx dagi dialogs export --out /tmp/real-dialogs --no-pseudonyms`;

interface Options extends Omit<DialogsExportOptions, 'out'> {
  out?: string;
  home?: string;
  pseudonyms: boolean;
}

/** What members wrote lies with the state, which is closed to others, and not in whatever folder somebody is in. */
const exportsIn = (home: string | undefined): string =>
  join(resolveEnv(home === undefined ? {} : { home }).home, 'exports', 'dialogs');

/** Adds `dagi dialogs`. */
export function addDialogsCommands(program: Command): void {
  program
    .command('dialogs')
    .description('what members wrote, and how they were answered')
    .command('export')
    .description('write the dialogs of a DAO, a JSON file for each')
    .option(...DAO_OPTION)
    .addOption(
      new Option('--since <days>', 'how far back: 7d, or the first day as 2026-11-01 (default: everything)').argParser(
        parseSince,
      ),
    )
    .option('--out <dir>', 'into this folder, which is made (default: exports/dialogs in the state folder)')
    .option('--pseudonyms', 'names in place of the ids of people', true)
    .option('--no-pseudonyms', 'keep the ids of people')
    .option('--home <dir>', 'state folder of the instance (DAGI_HOME)')
    .addHelpText('after', HELP)
    .action(async ({ home, pseudonyms, out = exportsIn(home), ...options }: Options) => {
      const client = await clientOf(home === undefined ? {} : { home });
      const names = pseudonyms ? new Pseudonyms() : undefined;
      const { dialogs, prompts } = await exportDialogs(client, { ...options, out }, process.stderr, names);
      process.stdout.write(`${counted(dialogs, 'dialog')} with ${counted(prompts, 'prompt')} in ${out}\n`);
    });
}
