import type { Command } from 'commander';
import { createKey, listKeys, revokeKey, rotateKey, type CreateKeyOptions } from './keys.js';
import { LIMIT_OPTION, parseNames, parseSpan, run, withCommon, type Common } from './people-options.js';

const EXAMPLES = `
Examples:
  $ npx dagi keys create --dao greenfood-dao --principal tg:12345 --name laptop
  $ npx dagi keys list
  $ npx dagi keys rotate KEY_ID --overlap 24h
  $ npx dagi keys revoke KEY_ID`;

const ID = ['<id>', 'id of the key, as the list shows it'] as const;
const DAO_OPTION = ['--dao <id>', 'as an admin of this DAO (default: that of the key)'] as const;

interface InDao {
  dao?: string;
}

/** Adds `dagi keys`. */
export function addKeyCommands(program: Command): void {
  const keys = program
    .command('keys')
    .description('create, list, rotate and revoke API keys')
    .addHelpText('after', EXAMPLES);
  addCreate(keys);
  addList(keys);
  addRotate(keys);
  withCommon(
    keys
      .command('revoke')
      .description('revoke a key, at once')
      .argument(...ID)
      .option(...DAO_OPTION),
    'keys revoke KEY_ID',
  ).action((id: string, options: InDao & Common) => run(options, (client) => revokeKey(client, id, options)));
}

function addCreate(keys: Command): void {
  withCommon(
    keys
      .command('create')
      .description('make a key; it is shown once, in the first line')
      .option('--dao <id>', 'the only DAO that it opens (default: all)')
      .option(
        '--principal <id>',
        'whom it stands for (default: a gateway key, which may name the user on whose behalf it calls)',
      )
      .option(
        '--scopes <entitlements>',
        'all that it lets through, separated by commas (default: as yours)',
        parseNames,
      )
      .option('--name <name>', 'what it is for'),
    'keys create --dao greenfood-dao --name "telegram bot"',
    'keys create --dao greenfood-dao --principal tg:12345 --scopes chat.read,chat.write --name laptop',
  ).action((options: CreateKeyOptions & Common) => run(options, (client) => createKey(client, options)));
}

function addList(keys: Command): void {
  withCommon(
    keys
      .command('list')
      .description('list keys, never their secrets')
      .option('--dao <id>', 'of this DAO (default: that of the key, or all for the administrator)')
      .option(...LIMIT_OPTION),
    'keys list --dao greenfood-dao',
    "keys list --json | jq -r '.keys[] | select(.scopes == null) | .id'",
  ).action((options: InDao & { limit?: number } & Common) => run(options, (client) => listKeys(client, options)));
}

function addRotate(keys: Command): void {
  withCommon(
    keys
      .command('rotate')
      .description('give a key a successor; the former one works on for a while')
      .argument(...ID)
      .option('--overlap <time>', 'for how long: 0, 30m, 24h, up to 7d (default: 24h)', parseSpan)
      .option(...DAO_OPTION),
    'keys rotate KEY_ID --overlap 24h',
    'keys rotate KEY_ID --overlap 0',
  ).action((id: string, options: InDao & { overlap?: number } & Common) =>
    run(options, (client) => rotateKey(client, id, options)),
  );
}
