import { Option, type Command } from 'commander';
import { counted } from './count.js';
import { exportDialogs, type DialogsExportOptions } from './dialogs-export.js';
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
    .option('--out <dir>', 'into this folder, which is made', 'dialogs')
    .option('--pseudonyms', 'names in place of the ids of people', true)
    .option('--no-pseudonyms', 'keep the ids of people')
    .option('--home <dir>', 'state folder of the instance (DAGI_HOME)')
    .addHelpText('after', HELP)
    .action(async ({ home, pseudonyms, ...options }: DialogsExportOptions & { home?: string; pseudonyms: boolean }) => {
      const client = await clientOf(home === undefined ? {} : { home });
      const names = pseudonyms ? new Pseudonyms() : undefined;
      const { dialogs, prompts } = await exportDialogs(client, options, process.stderr, names);
      process.stdout.write(`${counted(dialogs, 'dialog')} with ${counted(prompts, 'prompt')} in ${options.out}\n`);
    });
}
