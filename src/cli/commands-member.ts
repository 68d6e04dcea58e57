import type { Command } from 'commander';
import { invite, listInvitations, redeem, withdrawInvitation, type InviteOptions } from './invitation.js';
import {
  addMember,
  changeMember,
  forgetMember,
  linkMember,
  listMembers,
  removeMember,
  unlinkMember,
  type ChangeMemberOptions,
  type InDao,
  type ListMembersOptions,
} from './member.js';
import {
  AS_OPTION,
  DAO_OPTION,
  LIMIT_OPTION,
  parseCount,
  parseNames,
  parseSpan,
  run,
  VERSION_OPTION,
  withCommon,
  type Common,
} from './people-options.js';

const MEMBER = ['<member>', 'who: p_…, an id of a platform such as tg:1, or "me"'] as const;

const EXAMPLES = `
Examples:
  $ npx dagi member list --dao orchard
  $ npx dagi member add tg:5 --roles member --name "Cy"
  $ npx dagi member invite --roles member --uses 20 --expires 7d`;

const FORGET_HELP = `
Erases dialogs, prompts and answers, ids, name, keys and invitations. Requests stay as figures, under a name that tells
nothing; so does the record. A guest is forgotten as "me", with --as by a gateway key. There is no way back.`;

/** Adds `dagi member`. */
export function addMemberCommands(program: Command): void {
  const member = program
    .command('member')
    .description('members of a DAO, invitations, ids, forgetting')
    .addHelpText('after', EXAMPLES);
  addList(member);
  addAdd(member);
  addChange(member);
  addRemove(member);
  addInvite(member);
  addInvitations(member);
  addRedeem(member);
  addLink(member);
  addForget(member);
}

function addList(member: Command): void {
  withCommon(
    member
      .command('list')
      .description('members, their roles, and by which ids they are known')
      .option(...DAO_OPTION)
      .option('--role <name>', 'those who have this role')
      .option('--user <id>', 'whoever is known by this id')
      .option(...LIMIT_OPTION),
    'member list --dao orchard --role admin',
    "member list --user tg:1 --json | jq -r '.members[].id'",
  ).action((options: ListMembersOptions & Common) => run(options, (client) => listMembers(client, options)));
}

function addAdd(member: Command): void {
  withCommon(
    member
      .command('add')
      .description('make a user a member')
      .argument('<user>', 'an id of a platform, for example tg:5')
      .requiredOption('--roles <names>', 'roles, separated by commas; none gives what you lack', parseNames)
      .option('--name <name>', 'what people call them')
      .option(...DAO_OPTION),
    'member add tg:5 --dao orchard --roles member,contributor --name "Cy"',
  ).action((user: string, options: InDao & { roles: string[]; name?: string } & Common) =>
    run(options, (client) => addMember(client, user, options)),
  );
}

function addChange(member: Command): void {
  withCommon(
    member
      .command('change')
      .description('give a member other roles, or another name')
      .argument(...MEMBER)
      .option('--roles <names>', 'all roles from then on, separated by commas', parseNames)
      .option('--name <name>', 'what people call them')
      .option('--no-name', 'take the name away')
      .option(...DAO_OPTION)
      .option(...VERSION_OPTION),
    'member change tg:5 --roles admin',
    'member change me --no-name --if-version 3',
  ).action((who: string, options: ChangeMemberOptions & Common) =>
    run(options, (client) => changeMember(client, who, options)),
  );
}

function addRemove(member: Command): void {
  withCommon(
    member
      .command('remove')
      .description('end a membership, and what keys and invitations of the member gave')
      .argument(...MEMBER)
      .option(...DAO_OPTION)
      .option(...VERSION_OPTION),
    'member remove tg:5 --dao orchard',
  ).action((who: string, options: InDao & { ifVersion?: string } & Common) =>
    run(options, (client) => removeMember(client, who, options)),
  );
}

function addInvite(member: Command): void {
  withCommon(
    member
      .command('invite')
      .description('invite a named user, or whoever has a secret that is shown once')
      .requiredOption('--roles <names>', 'roles, separated by commas; none gives what you lack', parseNames)
      .option('--user <id>', 'the only one who can take it, and needs no secret')
      .option('--uses <n>', 'how many can take it (default: 1)', parseCount)
      .option('--expires <time>', 'for how long: 30m, 12h, up to 90d (default: 7d)', parseSpan)
      .option(...DAO_OPTION),
    'member invite --roles member --uses 20 --expires 7d',
    'member invite --roles contributor --user tg:5',
  ).action((options: InviteOptions & Common) => run(options, (client) => invite(client, options)));
}

function addInvitations(member: Command): void {
  withCommon(
    member
      .command('invitations')
      .description('invitations that can still be taken; take one back')
      .option('--withdraw <id>', 'take this one back')
      .option(...DAO_OPTION)
      .option(...LIMIT_OPTION),
    'member invitations --dao orchard',
    'member invitations --withdraw INVITATION_ID',
  ).action(({ withdraw, ...options }: InDao & { withdraw?: string; limit?: number } & Common) =>
    run(options, (client) =>
      withdraw === undefined ? listInvitations(client, options) : withdrawInvitation(client, withdraw, options),
    ),
  );
}

function addRedeem(member: Command): void {
  withCommon(
    member
      .command('redeem')
      .description('join by an invitation, or link an id by a code')
      .argument('[secret]', 'secret or code; without it you were invited by name')
      .option('--dao <id>', 'without a secret: which DAO has invited (default: that of the key, or DAGI_DEFAULT_DAO)')
      .option(...AS_OPTION),
    'member redeem SECRET',
    'member redeem SECRET --as tg:5',
    'member redeem --dao orchard',
  ).action((secret: string | undefined, options: InDao & { as?: string } & Common) =>
    run(options, (client) => redeem(client, secret, options)),
  );
}

function addLink(member: Command): void {
  withCommon(
    member
      .command('link')
      .description('give a member another id, or yourself a code to do so')
      .argument(...MEMBER)
      .argument('[user]', 'the other id; without it "me" gets a code, which the other id redeems')
      .option(...DAO_OPTION)
      .option(...AS_OPTION),
    'member link tg:5 dc:77',
    'member link me',
  ).action((who: string, user: string | undefined, options: InDao & { as?: string } & Common) =>
    run(options, (client) => linkMember(client, who, user, options)),
  );
  withCommon(
    member
      .command('unlink')
      .description('take an id off a member')
      .argument(...MEMBER)
      .argument('<user>', 'the id')
      .option(...DAO_OPTION),
    'member unlink tg:5 dc:77',
  ).action((who: string, user: string, options: InDao & Common) =>
    run(options, (client) => unlinkMember(client, who, user, options)),
  );
}

function addForget(member: Command): void {
  withCommon(
    member
      .command('forget')
      .description('erase what a DAO knows of somebody')
      .addHelpText('after', FORGET_HELP)
      .argument(...MEMBER)
      .option('--yes', 'that it is meant')
      .option(...DAO_OPTION)
      .option(...AS_OPTION),
    'member forget tg:5 --dao orchard --yes',
    'member forget me --yes',
    'member forget me --as tg:999 --yes',
  ).action((who: string, options: InDao & { as?: string; yes?: boolean } & Common) =>
    run(options, (client) => forgetMember(client, who, options)),
  );
}
