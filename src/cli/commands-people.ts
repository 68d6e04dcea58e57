import type { Command } from 'commander';
import { addMemberCommands } from './commands-member.js';
import { createDao, listDaos, setDao, showDao, type CreateDaoOptions } from './dao.js';
import {
  DAO_OPTION,
  LIMIT_OPTION,
  parseSomeNames,
  run,
  shown,
  VERSION_OPTION,
  withCommon,
  type Common,
} from './people-options.js';
import { resolveUser } from './resolve.js';
import { deleteRole, listRoles, putRole, type PutRoleOptions } from './role.js';

const SET_HELP = `
What is not named stays as it is; nothing behind the = takes a name away:
  name=TEXT            what people call it
  facts.NAME=TEXT      what it says of itself to models
  profile.NAME=TEXT    description, language
  settings.NAME=VALUE  voting_hours, quorum, threshold, veto_hours, sealed, role_weights, member_weights
  limits.NAME=VALUE    weight, requests_per_minute, tokens_per_month: the installation's administrator alone`;

const PUT_HELP = `
A role has all that --gives names and nothing else; nobody gives what they lack. A change that would let recorded requests
in that were refused is held, and always one by which guest gains something: the report says which, and the command that is
printed below it makes the change.`;

/** Adds `dagi dao`, `dagi member`, `dagi role` and `dagi resolve`. */
export function addPeopleCommands(program: Command): void {
  addDaoCommands(program);
  addMemberCommands(program);
  addRoleCommands(program);
  addResolve(program);
}

function addDaoCommands(program: Command): void {
  const dao = program
    .command('dao')
    .description('list, create, show and change DAOs')
    .addHelpText(
      'after',
      '\nExamples:\n  $ npx dagi dao list\n  $ npx dagi dao create orchard --name Orchard --admin tg:1',
    );
  withCommon(
    dao
      .command('list')
      .description('the DAO of the key, or all for the administrator')
      .option(...LIMIT_OPTION),
    'dao list',
  ).action((options: Common & { limit?: number }) => run(options, (client) => listDaos(client, options)));
  addDaoCreate(dao);
  withCommon(
    dao
      .command('show')
      .description('a DAO with its facts, how it decides, what it may use')
      .argument('[id]', 'which (default: that of the key, or DAGI_DEFAULT_DAO)'),
    'dao show orchard',
  ).action((id: string | undefined, options: Common) => run(options, (client) => showDao(client, id)));
  addDaoSet(dao);
}

function addDaoCreate(dao: Command): void {
  withCommon(
    dao
      .command('create')
      .description('create a DAO with the default roles, and its first admin')
      .argument('<id>', 'its id: 1 to 64 of a-z, 0-9, ".", "_" and "-"')
      .requiredOption('--name <name>', 'what people call it')
      .option('--admin <user>', 'who becomes its first admin, for example tg:1')
      .option('--fact <name=text...>', 'what it says of itself to models')
      .option('--description <text>', 'what it is')
      .option('--language <tag>', 'in which language it speaks, for example en or pt-BR'),
    'dao create orchard --name Orchard --admin tg:1 --language en --fact "purpose=Apples for everybody."',
  ).action((id: string, options: CreateDaoOptions & Common) =>
    run(options, (client) => createDao(client, id, options)),
  );
}

function addDaoSet(dao: Command): void {
  withCommon(
    dao
      .command('set')
      .description('change a DAO by name')
      .addHelpText('after', SET_HELP)
      .argument('<id>', 'which')
      .argument('<change...>', 'what is to be')
      .option(...VERSION_OPTION),
    'dao set orchard name="The Orchard" facts.season=Autumn profile.language=',
    'dao set orchard settings.quorum=0.25 \'settings.role_weights={"admin":2,"member":1}\'',
    'dao set orchard limits.requests_per_minute=60',
  ).action((id: string, changes: string[], options: Common & { ifVersion?: string }) =>
    run(options, (client) => setDao(client, id, changes, options)),
  );
}

function addRoleCommands(program: Command): void {
  const role = program
    .command('role')
    .description('list, change and delete roles of a DAO')
    .addHelpText(
      'after',
      '\nExamples:\n  $ npx dagi role list\n  $ npx dagi role put steward --gives chat.read,chat.write',
    );
  withCommon(
    role
      .command('list')
      .description('roles, how many have them, what they give')
      .option(...DAO_OPTION)
      .option(...LIMIT_OPTION),
    'role list --dao orchard',
  ).action((options: Common & { dao?: string; limit?: number }) =>
    run(options, (client) => listRoles(client, options)),
  );
  addRolePut(role);
  withCommon(
    role
      .command('delete')
      .description('delete a role that nobody has')
      .argument('<name>', 'which')
      .option(...DAO_OPTION)
      .option(...VERSION_OPTION),
    'role delete steward --dao orchard',
  ).action((name: string, options: Common & { dao?: string; ifVersion?: string }) =>
    run(options, (client) => deleteRole(client, name, options)),
  );
}

function addRolePut(role: Command): void {
  withCommon(
    role
      .command('put')
      .description('create a role, or replace what one gives')
      .addHelpText('after', PUT_HELP)
      .argument('<name>', 'which: 1 to 32 of a-z, 0-9, "_" and "-"')
      .requiredOption(
        '--gives <entitlements>',
        'all that it gives, separated by commas; "" for nothing',
        parseSomeNames,
      )
      .option('--confirm <hash>', 'that a change is meant which was held with this hash')
      .option(...DAO_OPTION)
      .option(...VERSION_OPTION),
    'role put steward --dao orchard --gives chat.read,chat.write,member.invite',
    'role put guest --gives chat.read,chat.write --confirm 0f3c6f2a51b7d9e4',
  ).action((name: string, options: PutRoleOptions & Common) =>
    run(options, (client) =>
      putRole(client, name, options, (told) => {
        process.stdout.write(shown(told, options));
      }),
    ),
  );
}

function addResolve(program: Command): void {
  withCommon(
    program
      .command('resolve')
      .description('what somebody is in a DAO, and may do there')
      .argument('[user]', 'who, for example tg:12345 (default: whoever the key stands for)')
      .option(...DAO_OPTION),
    'resolve tg:12345 --dao greenfood-dao',
    'resolve --json | jq .entitlements',
  ).action((user: string | undefined, options: Common & { dao?: string }) =>
    run(options, (client) => resolveUser(client, user, options)),
  );
}
