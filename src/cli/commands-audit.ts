import type { Command } from 'commander';
import { exportChain, type ExportOptions } from './audit-export.js';
import { verifyExport, type VerifyOptions } from './audit-verify.js';
import { listRecord, showKeys, signHeads, type AuditFilter } from './audit.js';
import { clientOf, LIMIT_OPTION, run, withCommon, type Common } from './people-options.js';

interface HomeOption {
  home?: string;
}

const HOME_OPTION = ['--home <dir>', 'state folder of the instance (DAGI_HOME)'] as const;

const EXAMPLES = `
Examples:
  $ npx dagi audit list --dao greenfood-dao --action access.denied
  $ npx dagi audit export --dao greenfood-dao --out greenfood.jsonl
  $ npx dagi audit verify greenfood.jsonl --heads posted-heads.jsonl --public-key noted-key.pem
  $ npx dagi audit key > noted-key.pem               keep it where the installation cannot change it

What is proven by what: docs/audit.md.`;

const VERIFY_HELP = `
Needs no server: only the export, and better also the heads as they were posted and the public key as you noted it.
An altered, removed, inserted or reordered row is named; a chain that was written anew contradicts the signed heads.
Rows behind the newest signed head cannot be proven complete, which is said.

Exit code: 0 if nothing is wrong, 1 if something is.

Example:
  $ npx dagi audit verify greenfood.jsonl --heads posted-heads.jsonl --public-key noted-key.pem`;

/** Adds `dagi audit`. */
export function addAuditCommands(program: Command): void {
  const audit = program
    .command('audit')
    .description('show the record, export it, verify an export, sign the heads that prove it')
    .addHelpText('after', EXAMPLES);
  addList(audit);
  addExport(audit);
  addVerify(audit);
  addSign(audit);
  addKey(audit);
}

function addList(audit: Command): void {
  const list = audit
    .command('list')
    .description('show who did what in a DAO, oldest first')
    .option('--dao <id>', 'of this DAO (default: the DAO of the key, or the installation for the administrator)')
    .option('--action <name>', 'only this, such as role.put')
    .option('--actor <id>', 'only by this member, stranger or key, as rows name them, or a member by a platform id')
    .option(...LIMIT_OPTION);
  withCommon(list, 'audit list --dao greenfood-dao', 'audit list --dao greenfood-dao --actor tg:1').action(
    (options: AuditFilter & Common) => run(options, (client) => listRecord(client, options)),
  );
}

function addExport(audit: Command): void {
  audit
    .command('export')
    .description('write the record of a DAO as JSON lines, closed by a head that is signed for it')
    .option('--dao <id>', 'of this DAO (default: the DAO of the key, or the installation for the administrator)')
    .option('--out <file>', 'into this file (default: standard output)')
    .option(...HOME_OPTION)
    .action(async ({ home, ...options }: ExportOptions & HomeOption) => {
      const client = await clientOf(home === undefined ? {} : { home });
      const rows = await exportChain(client, options, process.stdout, process.stderr);
      process.stderr.write(`${rows} rows${options.out === undefined ? '' : ` in ${options.out}`}\n`);
    });
}

/** Gathers what an option says each time. */
const another = (value: string, before: string[] = []): string[] => [...before, value];

function addVerify(audit: Command): void {
  audit
    .command('verify')
    .description('examine an export, without any server')
    .argument('<file>', 'as "npx dagi audit export" wrote it')
    .option('--heads <file>', 'heads as posted: DAGI_HOME/audit/<dao>/heads.jsonl; may be repeated', another)
    .option(
      '--public-key <key>',
      'that counts, as file or PEM; may be repeated (default: those in the export)',
      another,
    )
    .addHelpText('after', VERIFY_HELP)
    .action(async (file: string, options: VerifyOptions) => {
      const { ok, text } = await verifyExport(file, options);
      process.stdout.write(text);
      process.exitCode = ok ? 0 : 1;
    });
}

function addSign(audit: Command): void {
  audit
    .command('sign')
    .description('sign the heads of today now, instead of at 00:05 UTC; those that are signed stay as they are')
    .option(...HOME_OPTION)
    .action(async (options: HomeOption) => {
      const { text, well } = await signHeads(await clientOf(options));
      process.stdout.write(text);
      process.exitCode = well ? 0 : 1;
    });
}

function addKey(audit: Command): void {
  audit
    .command('key')
    .description('show the public keys with which heads are and were signed')
    .option(...HOME_OPTION)
    .action(async (options: HomeOption) => {
      process.stdout.write(await showKeys(await clientOf(options)));
    });
}
