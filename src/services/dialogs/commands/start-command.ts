import { GUEST_ROLE } from '../../../contracts/access.js';
import type { ReplyContent } from '../../../contracts/dialog.js';
import type { ChatsRepository } from '../../../adapters/store/chats.repository.js';
import type { DaosRepository } from '../../../adapters/store/daos.repository.js';
import type { InboxRepository } from '../../../adapters/store/inbox.repository.js';
import type { CrewRunsService } from '../../crew-runs.service.js';
import type { InvitationsService } from '../../invitations.service.js';
import { BOTS_KEY, isRefusal } from '../turn.js';
import { namedBy, paragraphs, said, type Asked, type Handlers } from './asked.js';
import { helpButton, onboardButton } from './help-commands.js';

export interface StartParts {
  invitations: Pick<InvitationsService, 'redeem'>;
  chats: Pick<ChatsRepository, 'choose'>;
  daos: Pick<DaosRepository, 'find'>;
  inbox: Pick<InboxRepository, 'reword'>;
  runs: Pick<CrewRunsService, 'asked'>;
}

/** The first thing that somebody says: a greeting, or an invitation that is redeemed. */
export class StartCommand {
  readonly handlers: Handlers = { start: (asked) => this.start(asked) };

  constructor(private readonly parts: StartParts) {}

  private async start(asked: Asked): Promise<ReplyContent> {
    const { turn, acting, phrases, args } = asked;
    const { update, daoId } = turn;
    if (args !== '' && update.kind === 'private') return this.redeem(asked);
    if (args !== '') {
      await this.forget(asked);
      return said(phrases.codeOnlyPrivate);
    }
    const name = update.body.kind === 'message' ? update.body.name : undefined;
    const { dao } = acting.facts;
    const help = helpButton(daoId, phrases);
    if (!acting.rights.roles.includes(GUEST_ROLE)) {
      const waits = await this.waiting(asked);
      return paragraphs(
        [phrases.greeting(name, dao.name), waits > 0 ? phrases.decisionsWait(waits) : undefined],
        [[help]],
      );
    }
    return said(phrases.greetingGuest(name, dao.name), [[onboardButton(daoId, phrases), help]]);
  }

  /** How much waits for somebody to decide it; of that nothing is told in a group. */
  private async waiting({ turn, acting }: Asked): Promise<number> {
    if (turn.update.kind !== 'private' || !acting.rights.entitlements.includes('chat.read')) return 0;
    return (await this.parts.runs.asked(BOTS_KEY, namedBy(turn))).length;
  }

  /** Makes a member of whoever brings a code. What is left of the message does not tell the code, whatever came of it. */
  private async redeem(asked: Asked): Promise<ReplyContent> {
    const { update } = asked.turn;
    const redeemed = await this.redeemed(asked);
    await this.parts.chats.choose(update.chat, redeemed.daoId);
    await this.forget(asked);
    const dao = await this.parts.daos.find(redeemed.daoId);
    const roles = redeemed.member.roles.join(', ');
    return said(asked.phrases.welcome(dao?.name ?? redeemed.daoId, roles));
  }

  private async redeemed(asked: Asked): ReturnType<InvitationsService['redeem']> {
    try {
      return await this.parts.invitations.redeem(BOTS_KEY, { secret: asked.args, userId: asked.turn.update.actor });
    } catch (error) {
      // It may be good for somebody else, or later.
      if (isRefusal(error)) await this.forget(asked);
      throw error;
    }
  }

  private forget({ turn: { update, daoId } }: Asked): Promise<void> {
    return this.parts.inbox.reword(update, daoId, '/start');
  }
}
