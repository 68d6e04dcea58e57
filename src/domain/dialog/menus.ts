import { COMMAND_NAMES, type CommandMenu } from '../../contracts/conversation.js';
import { LANGUAGES } from '../../contracts/dialog.js';
import type { Source } from '../../contracts/messenger.js';
import { commandInfo } from './commands.js';
import { phrasesIn } from './phrases.js';

/** The commands of a platform in each language, English for everybody else. */
export const commandMenus = (source: Source): CommandMenu[] =>
  [null, ...LANGUAGES.filter((language) => language !== 'en')].map((language) => ({
    language,
    commands: COMMAND_NAMES.filter((name) => commandInfo(name).isHidden !== true).map((command) => ({
      command,
      description: phrasesIn(language ?? 'en', source).commands[command],
    })),
  }));
