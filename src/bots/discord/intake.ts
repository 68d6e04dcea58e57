import type { Logger } from 'pino';
import { AppError } from '../../errors/app-error.js';
import {
  DiscordInteractionSchema,
  INTERACTION,
  type DiscordCommandCall,
  type DiscordDeed,
  type DiscordForm,
  type DiscordPress,
  type DiscordTyping,
} from '../../schemas/discord.js';
import type { SuggestionsService } from '../../services/dialogs/suggestions.service.js';
import type { Acceptance, Acceptation } from './acceptance.js';
import { heard, later, pong, proposalForm, suggested, told, type DiscordAnswer } from './answers.js';
import { discordCommand } from './commands.js';
import {
  formTextOf,
  isToldAlone,
  readMessage,
  readPress,
  textOf,
  whereaboutsOf,
  type Whereabouts,
} from './read-interaction.js';
import { wordsFor, type Words } from './words.js';

/** Where interactions of Discord come in, and what each is answered at once. */
export class DiscordIntake {
  constructor(
    private readonly acceptance: Pick<Acceptance, 'accept'>,
    private readonly suggestions: Pick<SuggestionsService, 'hasDao' | 'proposals'>,
    private readonly log: Logger,
  ) {}

  /** @throws AppError `BODY_INVALID` for what is no interaction that we know of */
  async answer(interaction: unknown): Promise<DiscordAnswer> {
    const parsed = DiscordInteractionSchema.safeParse(interaction);
    if (!parsed.success) {
      const problems = parsed.error.issues.map(({ path }) => path.join('.'));
      this.log.warn({ problems }, 'an interaction of Discord could not be read');
      throw new AppError('BODY_INVALID', 'This is no interaction of Discord that is known here.');
    }
    const { data: deed } = parsed;
    if (deed.type === INTERACTION.ping) return pong;
    const where = whereaboutsOf(deed);
    if (deed.type === INTERACTION.autocomplete) return suggested(where ? await this.proposals(deed, where) : []);
    if (!where) return told(wordsFor(deed.locale).elsewhere);
    return this.answerDeed(deed, where);
  }

  private async answerDeed(
    deed: DiscordCommandCall | DiscordForm | DiscordPress,
    where: Whereabouts,
  ): Promise<DiscordAnswer> {
    const words = wordsFor(deed.locale);
    if (deed.type === INTERACTION.component) {
      return answerTo(await this.acceptance.accept(deed, readPress(deed, where), isToldAlone(deed)), heard, words);
    }
    if (deed.type === INTERACTION.command) return this.answerCommand(deed, where);
    const text = formTextOf(deed);
    return text === undefined ? told(words.emptyForm) : this.answerMessage(deed, where, text, later(false), false);
  }

  private async answerCommand(call: DiscordCommandCall, where: Whereabouts): Promise<DiscordAnswer> {
    const words = wordsFor(call.locale);
    const command = discordCommand(call.data.name);
    if (!command) return told(words.unknown);
    const { first } = command;
    if (first === 'form' && call.data.options.length === 0) return proposalForm(call.locale);
    const isAlone = first === 'alone' || first === 'said';
    const answer = first === 'said' ? told(words.stopping) : later(isAlone);
    return this.answerMessage(call, where, textOf(call), answer, isAlone);
  }

  private async answerMessage(
    deed: DiscordCommandCall | DiscordForm,
    where: Whereabouts,
    text: string,
    answer: DiscordAnswer,
    isAlone: boolean,
  ): Promise<DiscordAnswer> {
    const words = wordsFor(deed.locale);
    try {
      if (!(await this.suggestions.hasDao({ ...where, text }))) return told(words.noDao);
    } catch (error) {
      this.log.warn({ err: error }, 'an interaction could not be taken in');
      return told(words.notAccepted);
    }
    return answerTo(await this.acceptance.accept(deed, readMessage(deed, where, text), isAlone), answer, words);
  }

  /** Proposals for what is being typed. That none can be had is no reason to fail: the number can be typed. */
  private async proposals(
    { data: { name, options } }: DiscordTyping & DiscordDeed,
    where: Whereabouts,
  ): Promise<{ n: number; title: string }[]> {
    const focused = options.find(({ focused: isFocused }) => isFocused);
    const option = discordCommand(name)?.options.find((one) => one.name === focused?.name);
    if (!option?.suggestsProposals) return [];
    try {
      return await this.suggestions.proposals({ ...where, typed: String(focused?.value ?? '') });
    } catch (error) {
      this.log.debug({ err: error }, 'no proposals could be suggested');
      return [];
    }
  }
}

/** What is answered at once, after what became of it. */
function answerTo(became: Acceptation, answer: DiscordAnswer, words: Words): DiscordAnswer {
  if (became === 'accepted') return answer;
  return told(became === 'full' ? words.full : words.notAccepted);
}
