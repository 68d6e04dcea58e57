import type { OpenUpdate, ReplyContent } from '../../../contracts/dialog.js';
import type { InboxRepository } from '../../../adapters/store/inbox.repository.js';
import type { OffersRepository } from '../../../adapters/store/offers.repository.js';
import type { PendingRepository } from '../../../adapters/store/pending.repository.js';
import { languageFor } from '../../../domain/dialog/language.js';
import { phrasesIn, type Phrases } from '../../../domain/dialog/phrases.js';
import { readPress, type Press } from '../../../domain/dialog/presses.js';
import type { GatePresses } from '../../news/gate-presses.js';
import type { RequestsService } from '../../requests.service.js';
import { tagOf } from '../tags.js';
import { BOTS_KEY, isRefusal, type Pressed, type Presses, type Turn } from '../turn.js';
import { said } from './asked.js';
import type { CommandsService } from './commands.service.js';
import type { DaoCommands } from './dao-commands.js';
import type { FeedbackTalk } from './feedback-talk.js';
import type { ProposalPresses } from './proposal-presses.js';
import type { Refusals } from './refusals.js';
import type { StatusCommand } from './status-command.js';

export interface PressesParts {
  inbox: Pick<InboxRepository, 'say'>;
  offers: Pick<OffersRepository, 'take'>;
  pending: Pick<PendingRepository, 'drop' | 'setAside'>;
  requests: Pick<RequestsService, 'cancel'>;
  commands: Pick<CommandsService, 'asked'>;
  daos: Pick<DaoCommands, 'choose'>;
  proposals: Pick<ProposalPresses, 'vote' | 'act'>;
  gates: Pick<GatePresses, 'press'>;
  status: Pick<StatusCommand, 'show'>;
  feedback: Pick<FeedbackTalk, 'press' | 'react' | 'complain'>;
  refusals: Pick<Refusals, 'told'>;
}

/** A press by somebody in a chat of a DAO. */
type Pressing = Turn & { phrases: Phrases };

/** Most characters that platforms show somebody who presses. */
const LONGEST_TOAST = 200;
/** Most that waits of somebody in a chat when a button has them say more: presses come faster than people write. */
const MOST_SAID = 5;

/** What buttons and reactions do. Whether somebody may is asked when they press, never when they were shown. */
export class PressesService implements Presses {
  constructor(private readonly parts: PressesParts) {}

  async press(update: OpenUpdate, data: string): Promise<Pressed> {
    const pressing = pressingOf(update);
    const press = readPress(data);
    if (!pressing || !press) return { told: phrasesIn(languageOf(update)).gone };
    try {
      return await this.done(pressing, press);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      const { body } = await this.parts.refusals.told(pressing, error);
      return { told: Array.from(body.text).slice(0, LONGEST_TOAST).join('') };
    }
  }

  async react(update: OpenUpdate, marks: readonly string[]): Promise<ReplyContent | undefined> {
    const pressing = pressingOf(update);
    if (!pressing) return undefined;
    try {
      return await this.parts.feedback.react(pressing, marks, pressing.phrases);
    } catch (error) {
      // Nobody waits to hear that their mark was not taken.
      if (isRefusal(error)) return undefined;
      throw error;
    }
  }

  async stopped(update: OpenUpdate, many: number): Promise<ReplyContent | undefined> {
    const pressing = pressingOf(update);
    if (!pressing) return undefined;
    const wasAsked = await this.parts.pending.drop(update, pressing.daoId);
    if (many > 0) return undefined;
    return said(wasAsked ? pressing.phrases.questionDropped : pressing.phrases.nothingToStop);
  }

  private async done(pressing: Pressing, press: Press): Promise<Pressed> {
    const { update, daoId, phrases } = pressing;
    if ('tag' in press && (press.what === 'vote' || press.what === 'prop' || press.what === 'say')) {
      if (press.tag !== tagOf(daoId)) return { told: phrases.otherDao };
    }
    switch (press.what) {
      case 'mark':
        return this.parts.feedback.press(pressing, press, phrases);
      case 'wrong':
        return this.parts.feedback.complain(pressing, press, phrases);
      case 'vote':
        return this.parts.proposals.vote(await this.parts.commands.asked(pressing), press);
      case 'prop':
        return this.parts.proposals.act(await this.parts.commands.asked(pressing), press);
      case 'gate':
        return this.decide(pressing, press);
      case 'dao':
        return this.parts.daos.choose(update, press.tag, phrases);
      default:
        return this.said(pressing, press);
    }
  }

  /** Decides something. A list of what waits shows afterwards what still does. */
  private async decide(pressing: Pressing, press: Extract<Press, { what: 'gate' }>): Promise<Pressed> {
    const told = await this.parts.gates.press(pressing, press);
    if (!press.isListed) return { told };
    return { told, shows: await this.parts.status.show(await this.parts.commands.asked(pressing)) };
  }

  /** Presses that have the person say something, or take something back. */
  private async said(
    { update, daoId, phrases }: Pressing,
    press: Extract<Press, { what: 'offer' | 'say' | 'stop' | 'drop' }>,
  ): Promise<Pressed> {
    switch (press.what) {
      case 'offer':
        return this.take({ update, daoId, phrases }, press);
      case 'say':
        await this.parts.pending.setAside(update, daoId);
        return this.command(update, daoId, `/${press.command} ${press.args}`.trim(), phrases);
      case 'stop':
        await this.parts.requests.cancel(BOTS_KEY, press.runId, { userId: update.actor });
        return { told: phrases.crewStopped, shows: said(phrases.crewStopped) };
      case 'drop': {
        const was = await this.parts.pending.drop(update, daoId);
        return was ? { told: phrases.questionDropped, shows: said(phrases.questionDropped) } : { told: phrases.gone };
      }
    }
  }

  /** Takes an offer up, or turns it down. */
  private async take(
    { update, daoId, phrases }: Pick<Pressing, 'update' | 'daoId' | 'phrases'>,
    { id, choice }: Extract<Press, { what: 'offer' }>,
  ): Promise<Pressed> {
    const taken = await this.parts.offers.take(id, update, daoId);
    if ('problem' in taken) return { told: phrases[taken.problem] };
    const { command, args, said: words } = taken.offer;
    if (choice === 'no') return { told: phrases.offerDeclined, shows: said(phrases.offerDeclined) };
    if (choice === 'ask') await this.say(update, daoId, words, true);
    else await this.say(update, daoId, `/${command} ${args}`.trim());
    const told = choice === 'ask' ? phrases.offerAsks : phrases.offerBegins;
    return { told, shows: said(told), wakesTurns: true };
  }

  /** Has the person say a command, where not so much of theirs waits. */
  private async command(update: OpenUpdate, daoId: string, text: string, phrases: Phrases): Promise<Pressed> {
    const isSaid = await this.parts.inbox.say(update, daoId, { kind: 'message', text }, MOST_SAID);
    return isSaid ? { wakesTurns: true } : { told: phrases.tooManyWaiting };
  }

  private say(update: OpenUpdate, daoId: string, text: string, isQuestion = false): Promise<boolean> {
    return this.parts.inbox.say(update, daoId, { kind: 'message', text, ...(isQuestion && { isQuestion }) });
  }
}

const languageOf = ({ language, speaks }: OpenUpdate) => languageFor('', language, speaks);

/** Undefined: the chat is of no DAO, and there is nothing that could be done in it. */
function pressingOf(update: OpenUpdate): Pressing | undefined {
  if (update.daoId === null) return undefined;
  const language = languageOf(update);
  return { update, daoId: update.daoId, language, text: '', phrases: phrasesIn(language, update.address.source) };
}
