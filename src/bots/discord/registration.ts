import {
  ApplicationCommandOptionType,
  ApplicationCommandType,
  ApplicationIntegrationType,
  InteractionContextType,
  type APIApplicationCommandBasicOption,
  type RESTPutAPIApplicationCommandsJSONBody,
} from 'discord-api-types/v10';
import { DISCORD_COMMANDS, type DiscordOption } from './commands.js';

/** Longest text that Discord lets somebody write behind a command. */
const LONGEST_TEXT = 6_000;

/** The commands as Discord takes them: in English, and in Ukrainian for those who use it so. */
export const registration = (): RESTPutAPIApplicationCommandsJSONBody =>
  DISCORD_COMMANDS.map(({ name, words, options }) => ({
    ...{ name, type: ApplicationCommandType.ChatInput, description: words.en },
    description_localizations: { uk: words.uk },
    options: options.map(optionOf),
    contexts: [InteractionContextType.Guild, InteractionContextType.BotDM],
    integration_types: [ApplicationIntegrationType.GuildInstall],
  }));

function optionOf({
  name,
  kind,
  isRequired,
  words,
  suggestsProposals: autocomplete,
}: DiscordOption): APIApplicationCommandBasicOption {
  const common = { name, description: words.en, description_localizations: { uk: words.uk }, required: isRequired };
  if (kind === 'text') return { ...common, type: ApplicationCommandOptionType.String, max_length: LONGEST_TEXT };
  return { ...common, type: ApplicationCommandOptionType.Integer, min_value: 1, ...(autocomplete && { autocomplete }) };
}
