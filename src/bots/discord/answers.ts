import { ComponentType, InteractionResponseType, MessageFlags, TextInputStyle } from 'discord-api-types/v10';
import { cutText } from '../../contracts/text.js';
import { PROPOSAL_FORM } from './commands.js';
import { languageOf } from './words.js';

/** Most characters of a suggestion that Discord shows. */
const LONGEST_SUGGESTION = 100;

/** What Discord is answered at once. */
export interface DiscordAnswer {
  type: InteractionResponseType;
  data?: object;
}

export const pong: DiscordAnswer = { type: InteractionResponseType.Pong };

/** The answer comes later. @param isAlone whether its person alone is to see it */
export const later = (isAlone: boolean): DiscordAnswer => ({
  type: InteractionResponseType.DeferredChannelMessageWithSource,
  ...(isAlone && { data: { flags: MessageFlags.Ephemeral } }),
});

/** What a button was pressed for is done later, if anything is shown at all. */
export const heard: DiscordAnswer = { type: InteractionResponseType.DeferredMessageUpdate };

/** A word to one person. */
export const told = (content: string): DiscordAnswer => ({
  type: InteractionResponseType.ChannelMessageWithSource,
  data: { content, flags: MessageFlags.Ephemeral, allowed_mentions: { parse: [] } },
});

export const suggested = (proposals: readonly { n: number; title: string }[]): DiscordAnswer => ({
  type: InteractionResponseType.ApplicationCommandAutocompleteResult,
  data: {
    choices: proposals.map(({ n, title }) => ({ name: cutText(`${n}. ${title}`, LONGEST_SUGGESTION), value: n })),
  },
});

/** The form in which a proposal is written. */
export function proposalForm(locale: string | undefined): DiscordAnswer {
  const language = languageOf(locale);
  const { id, title, text, words } = PROPOSAL_FORM;
  const fields = [
    [title, TextInputStyle.Short],
    [text, TextInputStyle.Paragraph],
  ] as const;
  const components = fields.map(([{ id: custom_id, longest: max_length, words: label }, style]) => ({
    type: ComponentType.Label,
    label: label[language],
    component: { type: ComponentType.TextInput, custom_id, style, max_length, required: true },
  }));
  return { type: InteractionResponseType.Modal, data: { custom_id: id, title: words[language], components } };
}
