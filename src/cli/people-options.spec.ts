import { describe, expect, it } from '@jest/globals';
import { InvalidArgumentError, type Command } from 'commander';
import { parseCount, parseNames, parseSomeNames, parseSpan, shown } from './people-options.js';
import { buildProgram } from './program.js';

describe('options of commands about people', () => {
  it('takes names that commas separate', () => {
    expect(parseNames(' admin, member,')).toEqual(['admin', 'member']);
    expect(() => parseNames(' , ')).toThrow(InvalidArgumentError);
    expect(parseSomeNames('')).toEqual([]);
    expect(parseSomeNames('chat.read')).toEqual(['chat.read']);
  });

  it.each([
    ['0', 0],
    ['0h', 0],
    ['30m', 1_800_000],
    ['24h', 86_400_000],
    ['7d', 604_800_000],
  ])('takes %s for a span', (text, ms) => {
    expect(parseSpan(text)).toBe(ms);
  });

  it.each(['', '24', 'h', '-1h', '1.5h', '999999d', '1y'])('does not take %j for a span', (text) => {
    expect(() => parseSpan(text)).toThrow(InvalidArgumentError);
  });

  it('takes counts from 1', () => {
    expect(parseCount('12')).toBe(12);
    for (const text of ['0', '-1', '1.5', '', '1e3', '100001']) expect(() => parseCount(text)).toThrow('from 1 to');
  });

  it('prints text or JSON', () => {
    const told = { answer: { ok: true, name: 'a\u009b' }, text: 'a\n' };
    expect(shown(told, {})).toBe('a\n');
    expect(shown(told, { json: true })).toBe('{\n  "ok": true,\n  "name": "a"\n}\n');
  });

  const leaves = (command: Command, path: string): [string, Command][] =>
    command.commands.length === 0
      ? [[path, command]]
      : command.commands.flatMap((one) => leaves(one, `${path} ${one.name()}`));
  const people = buildProgram().commands.filter((one) =>
    ['dao', 'member', 'role', 'resolve', 'keys'].includes(one.name()),
  );

  it.each(people.flatMap((one) => leaves(one, one.name())))('%s has examples and JSON', (path, command) => {
    let help = '';
    command.configureOutput({ writeOut: (text) => void (help += text) }).outputHelp();
    expect(help).toMatch(new RegExp(`Examples?:\n {2}\\$ npx dagi ${path}`));
    expect(command.options.map(({ long }) => long).slice(-2)).toEqual(['--json', '--home']);
  });
});
