import { LANGUAGES, type Language } from '../../contracts/dialog.js';
import { COMMAND_NAMES, commandInfo } from './commands.js';
import { phrasesIn } from './phrases.js';

/** Commands as a platform's menu shows them. */
export interface Menu {
  /** Undefined: for everybody whose language we do not speak. */
  language: Language | null;
  commands: readonly { command: string; description: string }[];
}

/** The commands in each language, English for everybody else. */
export const commandMenus = (): Menu[] =>
  [null, ...LANGUAGES.filter((language) => language !== 'en')].map((language) => ({
    language,
    commands: COMMAND_NAMES.filter((name) => commandInfo(name).isHidden !== true).map((command) => ({
      command,
      description: phrasesIn(language ?? 'en').commands[command],
    })),
  }));
