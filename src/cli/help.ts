import type { Command } from 'commander';
import { buildProgram } from './program.js';

/** Columns of the texts in documents. */
const WIDTH = 80;
/** A block of a document that holds the help of a command; its first line names it. */
const BLOCK = /(?<=^```\n)Usage: dagi([^\n[<]*)[\s\S]*?\n(?=```$)/gm;

/** What `dagi WORDS --help` prints. @throws TypeError if there is no such command */
function helpOf(words: readonly string[]): string {
  let command: Command | undefined = buildProgram();
  for (const word of words) command = command?.commands.find((one) => one.name() === word);
  if (!command) throw new TypeError(`there is no command dagi ${words.join(' ')}`);
  let text = '';
  const writeOut = (part: string): void => void (text += part);
  command.configureOutput({ writeOut, getOutHelpWidth: () => WIDTH }).outputHelp();
  return text;
}

/** A document in which every block with the help of a command says what the command says. */
export const helpIn = (document: string): string =>
  document.replace(BLOCK, (_block, words: string) => helpOf(words.split(' ').filter((word) => word !== '')));
