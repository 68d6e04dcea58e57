import { v7 as uuid } from 'uuid';
import type { ReplyContent } from '../../../contracts/dialog.js';
import { PLATFORMS } from '../../../contracts/messenger.js';
import type { RouteSubmission } from '../../../contracts/request.js';
import type { OffersRepository } from '../../../adapters/store/offers.repository.js';
import type { RunChatsRepository } from '../../../adapters/store/run-chats.repository.js';
import { button, offerButtons } from '../../../domain/dialog/buttons.js';
import { commandInfo } from '../../../domain/dialog/commands.js';
import { cut } from '../../../domain/dialog/rich.js';
import type { ProposalsService } from '../../proposals.service.js';
import type { SubmissionsService } from '../../submissions.service.js';
import { BOTS_KEY, type Turn } from '../turn.js';
import { namedBy, numberIn, said, type Asked, type Handlers } from './asked.js';
import type { ProposalCommands } from './proposal-commands.js';

/** Commands that start crews. */
export const CREW_COMMANDS = ['onboard', 'review', 'decompose', 'code_review'] as const;
export type CrewCommand = (typeof CREW_COMMANDS)[number];
export const isCrewCommand = (name: string): name is CrewCommand => CREW_COMMANDS.some((one) => one === name);

/** What a crew is given, and how it is called in words. */
interface Prepared {
  inputs: Record<string, unknown>;
  /** What was asked in words, for crews that take it. */
  prompt: string;
  /** What it is about; empty: nothing in particular. */
  about: string;
}

/** The name of the door in idempotency keys. */
const ROUTE = 'dialog';
const LONGEST_ABOUT = 60;

/** A request of a chat, with the rights of whoever asks. Asked again for the same message it is the same one. */
export function submitFor(
  submissions: Pick<SubmissionsService, 'submit'>,
  { update, daoId }: Turn,
  asked: Pick<RouteSubmission, 'prompt' | 'mode' | 'crew' | 'metadata'>,
  requestId: string,
): ReturnType<SubmissionsService['submit']> {
  const source = PLATFORMS[update.address.source];
  const submission: RouteSubmission = {
    ...{ agent: undefined, sessionId: undefined, source, daoId, userId: update.actor, chat: update.chat },
    ...asked,
    metadata: { ...asked.metadata, source },
  };
  const idempotencyKey = `${update.id}.${update.revision}`;
  const isFirst = !update.isAgain;
  return submissions.submit(BOTS_KEY, submission, {
    ...{ requestId, route: ROUTE, idempotencyKey, isFirst, receivedAt: new Date() },
  });
}

export interface CrewCommandsParts {
  submissions: Pick<SubmissionsService, 'submit'>;
  proposals: Pick<ProposalsService, 'get'>;
  runChats: Pick<RunChatsRepository, 'add'>;
  offers: Pick<OffersRepository, 'make'>;
  /** Finds out which proposal is meant. */
  talk: Pick<ProposalCommands, 'which' | 'ofStage'>;
}

/** Crews that are started from chats, at once or with one tap. */
export class CrewCommands {
  readonly handlers: Handlers = Object.fromEntries(
    CREW_COMMANDS.map((name) => [name, (asked: Asked) => this.start(asked, name)]),
  );

  constructor(private readonly parts: CrewCommandsParts) {}

  /** Offers what somebody may have meant: it begins with a tap. */
  async offer(asked: Asked, command: CrewCommand): Promise<ReplyContent> {
    const prepared = await this.prepare(asked, command);
    if ('body' in prepared) return prepared;
    const { turn, phrases } = asked;
    const args = command === 'review' ? String(prepared.inputs.n) : asked.args;
    const id = await this.parts.offers.make(turn.update, turn.daoId, { command, args, said: turn.text });
    return said(phrases.offer(crewWords(asked, command), prepared.about), offerButtons(id, phrases));
  }

  private async start(asked: Asked, command: CrewCommand): Promise<ReplyContent> {
    const prepared = await this.prepare(asked, command);
    if ('body' in prepared) return prepared;
    const { turn, phrases } = asked;
    const { update, daoId, language } = turn;
    const { crew: workflow = command } = commandInfo(command);
    const { inputs, prompt } = prepared;
    const { requestId } = await submitFor(
      this.parts.submissions,
      turn,
      { prompt, mode: 'crew', crew: { id: workflow, inputs }, metadata: { workflow, inputs } },
      uuid(),
    );
    const { chat, actor, messageId } = update;
    await this.parts.runChats.add({ runId: requestId, daoId, chat, actor, messageId, language });
    const stop = button(phrases.crewStop, { what: 'stop', runId: requestId });
    return said(phrases.crewBegan(crewWords(asked, command)), [[stop]]);
  }

  /** What a crew is given; or what is to be said first. */
  private async prepare(asked: Asked, command: CrewCommand): Promise<Prepared | ReplyContent> {
    const { args, phrases, turn } = asked;
    const { body } = turn.update;
    switch (command) {
      case 'onboard': {
        const name = body.kind === 'message' ? body.name : undefined;
        return { inputs: { ...(name !== undefined && { name }) }, prompt: args, about: '' };
      }
      case 'review':
        return this.prepareReview(asked);
      case 'decompose':
        return args === '' ? said(usage(asked, command, phrases.taskNeeded)) : inWords(args);
      case 'code_review':
        return args === '' ? said(usage(asked, command, phrases.pathNeeded)) : inWords(args);
    }
  }

  private async prepareReview(asked: Asked): Promise<Prepared | ReplyContent> {
    const { args, turn, phrases } = asked;
    const named = numberIn(args);
    if (named === undefined && args !== '') return said(phrases.whichAgain);
    const found = named === undefined ? await this.meant(asked) : { n: named };
    if ('reply' in found) return found.reply;
    const { proposal } = await this.parts.proposals.get(BOTS_KEY, namedBy(turn), found.n);
    const about = cut(phrases.proposalTitle(proposal.n, proposal.title), LONGEST_ABOUT);
    return { inputs: { n: proposal.n }, prompt: '', about };
  }

  /** Which proposal is meant by whoever names none: one of their own, else one that is being voted on. */
  private async meant(asked: Asked): Promise<{ n: number } | { reply: ReplyContent }> {
    const { member } = asked.acting.facts;
    const recent = await this.parts.talk.ofStage(asked, 'draft', 'open');
    const own = recent.filter(({ author }) => member !== undefined && author === member);
    return this.parts.talk.which(
      asked,
      'review',
      own.length > 0 ? own : recent.filter(({ stage }) => stage === 'open'),
    );
  }
}

const inWords = (args: string): Prepared => ({ inputs: {}, prompt: args, about: cut(args, LONGEST_ABOUT) });

const crewWords = ({ phrases }: Asked, command: CrewCommand): string => {
  const { crew = command } = commandInfo(command);
  return phrases.crews[crew] ?? crew;
};

const usage = ({ phrases }: Asked, command: CrewCommand, words: string): string =>
  `${words} ${phrases.usage[command] ?? `/${command}`}`;
