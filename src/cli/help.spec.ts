import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { packagePath } from '../../config/paths.js';
import { helpIn } from './help.js';
import { buildProgram } from './program.js';

const DOCS = packagePath('docs');
const DOCUMENTS = readdirSync(DOCS).filter((name) => name.endsWith('.md'));

describe(helpIn, () => {
  it.each(DOCUMENTS)('finds %s as it is: npm run write:help', (name) => {
    const text = readFileSync(join(DOCS, name), 'utf8');
    expect(helpIn(text)).toBe(text);
  });

  it('finds every command in some document', () => {
    const text = DOCUMENTS.map((name) => readFileSync(join(DOCS, name), 'utf8')).join('');
    const commands = buildProgram().commands.flatMap((one) => [
      one.name(),
      ...one.commands.map((inner) => `${one.name()} ${inner.name()}`),
    ]);
    expect(commands.filter((name) => !text.includes(`Usage: dagi ${name} `))).toEqual([]);
  });

  it('writes what has changed again, and nothing else', () => {
    const old = 'Text\n\n```\nUsage: dagi config status [options]\n\nsomething old\n```\n\n```\nUsage: other\n```\n';
    const text = helpIn(old);
    expect(text).toContain('```\nUsage: dagi config status [options]\n\nwhich profile runs');
    expect(text).not.toContain('something old');
    expect(text).toContain('\n```\n\n```\nUsage: other\n```\n');
    expect(() => helpIn('```\nUsage: dagi nothing\n```\n')).toThrow('there is no command dagi nothing');
  });
});
