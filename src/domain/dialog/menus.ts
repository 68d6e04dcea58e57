import { COMMAND_NAMES, type CommandMenu } from '../../contracts/conversation.js';
import { LANGUAGES } from '../../contracts/dialog.js';
import { commandInfo } from './commands.js';
import { phrasesIn } from './phrases.js';

/** The commands in each language, English for everybody else. */
export const commandMenus = (): CommandMenu[] =>
  [null, ...LANGUAGES.filter((language) => language !== 'en')].map((language) => ({
    language,
    commands: COMMAND_NAMES.filter((name) => commandInfo(name).isHidden !== true).map((command) => ({
      command,
      description: phrasesIn(language ?? 'en').commands[command],
    })),
  }));
