import type { CommandName } from '../../../contracts/conversation.js';
import type { ReplyContent } from '../../../contracts/dialog.js';
import type { Button } from '../../../contracts/messenger.js';
import type { Proposal, ProposalSummary } from '../../../contracts/proposal.js';
import { button } from '../../../domain/dialog/buttons.js';
import type { Phrases } from '../../../domain/dialog/phrases.js';
import { proposalCard, type OwnBallot } from '../../../domain/dialog/proposal-card.js';
import type { Acting } from '../../access.service.js';
import type { ProposalsService } from '../../proposals.service.js';
import type { VotesService } from '../../votes.service.js';
import type { PreferencesService } from '../../news/preferences.service.js';
import { tagOf } from '../tags.js';
import { BOTS_KEY, type Turn } from '../turn.js';
import { namedBy } from './asked.js';

/** Who looks at a proposal, and where. */
export interface Looking {
  turn: Pick<Turn, 'daoId' | 'update'>;
  acting: Acting;
  phrases: Phrases;
}

/** Proposals as messages with buttons. */
export class ProposalCards {
  constructor(
    private readonly proposals: Pick<ProposalsService, 'get'>,
    private readonly votes: Pick<VotesService, 'tally' | 'ballots'>,
    private readonly preferences: Pick<PreferencesService, 'zoneOf'>,
  ) {}

  /** @throws AppError `PROPOSAL_NOT_FOUND` and those of access */
  async show(looking: Looking, n: number): Promise<ReplyContent> {
    const { turn, acting, phrases } = looking;
    const named = namedBy(turn);
    const { proposal } = await this.proposals.get(BOTS_KEY, named, n);
    const tally = proposal.rules ? await this.votes.tally(BOTS_KEY, named, n) : null;
    const own = await this.ownBallot(looking, proposal);
    const timeZone = await this.zoneOf(looking);
    const { body, buttons } = proposalCard({ proposal, tally, tag: tagOf(turn.daoId), own, timeZone }, phrases);
    return {
      body,
      buttons: proposal.stage === 'draft' ? draftButtons(proposal, turn.daoId, acting, phrases) : buttons,
    };
  }

  /** Where whoever looks lives; undefined: others look on, or it is nobody who could have said so. */
  private async zoneOf({ turn, acting }: Looking): Promise<string | undefined> {
    const { member } = acting.facts;
    if (turn.update.kind !== 'private' || member === undefined) return undefined;
    return this.preferences.zoneOf(turn.daoId, member);
  }

  /** How whoever looks voted; undefined: it is not told where others look on, nor whoever may not see ballots. */
  private async ownBallot({ turn, acting }: Looking, { n, stage }: Proposal): Promise<OwnBallot | undefined> {
    const { member } = acting.facts;
    const maySee = acting.rights.entitlements.includes('chat.write');
    if (turn.update.kind !== 'private' || stage !== 'open' || member === undefined || !maySee) return undefined;
    const after = { after: `${member}:0`, limit: 1, changed: false };
    const { items } = await this.votes.ballots(BOTS_KEY, namedBy(turn), n, after);
    const [ballot] = items;
    return ballot?.voter === member ? (ballot.choice ?? 'sealed') : 'none';
  }
}

/** What may be done with a draft: by its author, and by whoever may have it reviewed. */
function draftButtons({ n, author }: Proposal, daoId: string, { facts, rights }: Acting, phrases: Phrases): Button[][] {
  const about = { n, tag: tagOf(daoId) };
  const review = rights.entitlements.includes('agent.crew')
    ? [button(phrases.reviewButton, { what: 'say', command: 'review', tag: about.tag, args: String(n) })]
    : [];
  if (author !== facts.member) return [review];
  const open = button(phrases.openButton, { what: 'prop', ...about, act: 'open' });
  return [[open, button(phrases.withdrawButton, { what: 'prop', ...about, act: 'withdraw' })], review];
}

/** Buttons that say a command with the number of a proposal. */
export const numberButtons = (
  daoId: string,
  command: CommandName,
  proposals: readonly Pick<ProposalSummary, 'n' | 'title'>[],
  label: (proposal: Pick<ProposalSummary, 'n' | 'title'>) => string,
): Button[] =>
  proposals.map((one) => button(label(one), { what: 'say', command, tag: tagOf(daoId), args: String(one.n) }));
