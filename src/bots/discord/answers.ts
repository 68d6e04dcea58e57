import { cutText } from '../../contracts/text.js';
import { PROPOSAL_FORM } from './commands.js';
import { languageOf } from './words.js';

const EPHEMERAL = 64;
const [PONG, MESSAGE, DEFERRED, DEFERRED_UPDATE, SUGGESTIONS, FORM] = [1, 4, 5, 6, 8, 9] as const;
const [TEXT_INPUT, LABEL] = [4, 18] as const;
const [ONE_LINE, LINES] = [1, 2] as const;
/** Most characters of a suggestion that Discord shows. */
const LONGEST_SUGGESTION = 100;

/** What Discord is answered at once. */
export interface DiscordAnswer {
  type: number;
  data?: object;
}

export const pong: DiscordAnswer = { type: PONG };

/** The answer comes later. @param isAlone whether its person alone is to see it */
export const later = (isAlone: boolean): DiscordAnswer => ({
  type: DEFERRED,
  ...(isAlone && { data: { flags: EPHEMERAL } }),
});

/** What a button was pressed for is done later, if anything is shown at all. */
export const heard: DiscordAnswer = { type: DEFERRED_UPDATE };

/** A word to one person. */
export const told = (content: string): DiscordAnswer => ({
  type: MESSAGE,
  data: { content, flags: EPHEMERAL, allowed_mentions: { parse: [] } },
});

export const suggested = (proposals: readonly { n: number; title: string }[]): DiscordAnswer => ({
  type: SUGGESTIONS,
  data: {
    choices: proposals.map(({ n, title }) => ({ name: cutText(`${n}. ${title}`, LONGEST_SUGGESTION), value: n })),
  },
});

/** The form in which a proposal is written. */
export function proposalForm(locale: string | undefined): DiscordAnswer {
  const language = languageOf(locale);
  const { id, title, text, words } = PROPOSAL_FORM;
  const fields = [
    [title, ONE_LINE],
    [text, LINES],
  ] as const;
  const components = fields.map(([{ id: custom_id, longest: max_length, words: label }, style]) => ({
    type: LABEL,
    label: label[language],
    component: { type: TEXT_INPUT, custom_id, style, max_length, required: true },
  }));
  return { type: FORM, data: { custom_id: id, title: words[language], components } };
}
