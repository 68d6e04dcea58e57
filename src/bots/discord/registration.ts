import {
  ApplicationCommandOptionType,
  ApplicationCommandType,
  ApplicationIntegrationType,
  InteractionContextType,
  PermissionFlagsBits,
  type APIApplicationCommandBasicOption,
  type RESTPostAPIChatInputApplicationCommandsJSONBody,
} from 'discord-api-types/v10';
import type { CommandMenu } from '../../contracts/conversation.js';
import type { Language } from '../../contracts/dialog.js';
import { DISCORD_COMMANDS, PLAIN, type DiscordOption } from './commands.js';

/** Longest text that Discord lets somebody write behind a command. */
const LONGEST_TEXT = 6_000;

/**
 * Who sees a command in a server, unless its admins say otherwise: of which DAO it is, is for those to say who rule it, too.
 * What somebody may in the DAO is asked beside it.
 */
const NEEDED: Readonly<Record<string, bigint>> = { link: PermissionFlagsBits.ManageGuild };

/** Where alone a command means something. */
const CONTEXTS: Readonly<Record<string, InteractionContextType[]>> = {
  link: [InteractionContextType.Guild],
  notify: [InteractionContextType.BotDM],
};

/** The commands as Discord takes them: in English, and in Ukrainian for those who use it so. @param menus what they do */
export const registration = (menus: readonly CommandMenu[]): RESTPostAPIChatInputApplicationCommandsJSONBody[] =>
  DISCORD_COMMANDS.map(({ name, options }) => ({
    ...{ name, type: ApplicationCommandType.ChatInput, description: described(name, 'en', menus) },
    description_localizations: { uk: described(name, 'uk', menus) },
    options: options.map(optionOf),
    default_member_permissions: NEEDED[name]?.toString() ?? null,
    contexts: CONTEXTS[name] ?? [InteractionContextType.Guild, InteractionContextType.BotDM],
    integration_types: [ApplicationIntegrationType.GuildInstall],
  }));

function described(name: string, language: Language, menus: readonly CommandMenu[]): string {
  if (name === PLAIN.name) return PLAIN.words[language];
  const menu = menus.find((one) => one.language === language) ?? menus.find((one) => one.language === null);
  return menu?.commands.find(({ command }) => command === name)?.description ?? name;
}

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
