import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { packagePath } from '../../../config/paths.js';
import { loadDefaultRoles } from '../../../config/seed.js';
import { COMMAND_NAMES } from '../../contracts/conversation.js';
import { commandOf } from './command.js';
import { commandInfo, commandsFor } from './commands.js';
import { languageFor } from './language.js';
import { commandMenus } from './menus.js';
import { phrasesIn } from './phrases.js';

describe('a command', () => {
  it.each([
    ['/help', 'help', ''],
    ['  /Vote   12 ', 'vote', '12'],
    ['/propose A title\nand a text', 'propose', 'A title\nand a text'],
    ['/code_review src/a.ts', 'code_review', 'src/a.ts'],
  ])('should be read: %j', (text, name, args) => {
    expect(commandOf(text)).toEqual({ name, args });
  });

  it.each(['', '/', 'help', 'a /help', '/сервіс', '/a-b', '//', `/${'a'.repeat(33)}`])('should be none: %j', (text) => {
    expect(commandOf(text)).toBeUndefined();
  });

  it('should be told to whoever may use it, where it means something', () => {
    const roles = loadDefaultRoles();
    const of = (role: string, place: 'private' | 'group' = 'private') => commandsFor(roles[role] ?? [], place);
    const all = ['help', 'dao', 'role', 'onboard', 'proposals', 'vote', 'status', 'why', 'cost', 'stop', 'language'];
    expect(of('guest')).toEqual(['help', 'dao', 'role', 'onboard', 'proposals', 'status', 'language']);
    expect(of('member')).toEqual(
      COMMAND_NAMES.filter((name) => [...all, 'propose', 'review', 'decompose', 'notify'].includes(name)),
    );
    expect(of('contributor')).toContain('code_review');
    expect(of('admin')).not.toContain('link');
    expect(of('admin', 'group')).toContain('link');
    expect(of('member', 'group')).not.toContain('link');
    expect(commandsFor([], 'private')).toEqual(['language']);
  });

  it('should be in the list of the documents, as chats list it, with its example and who may use it', () => {
    const document = readFileSync(packagePath('docs', 'bots.md'), 'utf8');
    const listed = [...document.matchAll(/^\| `\/(\w[^`]*)` \| (.+?) \| (\w+) \|$/gm)].map((row) => row.slice(1));
    const roles = loadDefaultRoles();
    const mayUse = (role: string, needs: readonly string[]): boolean =>
      needs.every((one) => (roles[role] ?? []).some((entitlement) => entitlement === one));
    const expected = (commandMenus('tg')[0]?.commands ?? []).map(({ command, description }) => {
      const least = ['guest', 'member', 'contributor', 'admin'].find((role) =>
        mayUse(role, [...commandInfo(command).needs, ...(commandInfo(command).tells ?? [])]),
      );
      const example = new Map(Object.entries(phrasesIn('en').usage)).get(command) ?? `/${command}`;
      return [example.slice(1), description, `${least}s`];
    });
    expect(listed).toEqual(expected);
  });

  it('should be in the menus of both languages, as platforms take them', () => {
    const menus = commandMenus('tg');
    expect(menus.map(({ language }) => language)).toEqual([null, 'uk']);
    for (const { commands } of menus) {
      expect(commands.map(({ command }) => command)).toEqual(COMMAND_NAMES.filter((name) => name !== 'start'));
      for (const { description } of commands) expect(description.length).toBeLessThanOrEqual(100);
    }
  });
});

describe('the language of an answer', () => {
  it.each([
    ['Що я можу?', 'en', null, 'uk'],
    ['What can I do?', 'uk', null, 'en'],
    ['/help', 'uk', null, 'uk'],
    ['/help', 'uk-UA', null, 'uk'],
    ['/help', 'de', null, 'en'],
    ['/help', null, null, 'en'],
    ['12', 'uk', null, 'uk'],
    ['Що я можу?', 'uk', 'en', 'en'],
    ['/help', 'en', 'uk', 'uk'],
  ] as const)('to %j by somebody who uses %s and chose %s should be %s', (text, used, chosen, expected) => {
    expect(languageFor(text, used, chosen)).toBe(expected);
  });
});
