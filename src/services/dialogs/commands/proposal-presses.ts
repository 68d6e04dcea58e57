import type { ReplyContent } from '../../../contracts/dialog.js';
import type { Press } from '../../../domain/dialog/presses.js';
import type { ProposalsService } from '../../proposals.service.js';
import type { VotesService } from '../../votes.service.js';
import { BOTS_KEY, isRefusal, type Pressed } from '../turn.js';
import { namedBy } from './asked.js';
import type { Looking, ProposalCards } from './proposal-cards.js';

type VotePress = Extract<Press, { what: 'vote' }>;
type ProposalPress = Extract<Press, { what: 'prop' }>;

/** Refusals of ballots where nobody can vote any more. */
const OVER: ReadonlySet<string> = new Set(['VOTING_CLOSED', 'VOTING_NOT_OPEN']);

export interface ProposalPressesParts {
  proposals: Pick<ProposalsService, 'open' | 'withdraw'>;
  votes: Pick<VotesService, 'cast'>;
  cards: Pick<ProposalCards, 'show'>;
}

/** What buttons of proposals do; the message shows afterwards how things stand. */
export class ProposalPresses {
  constructor(private readonly parts: ProposalPressesParts) {}

  /**
   * Casts a ballot: one for each press, however often the press is told. Whoever comes too late is shown how it ended.
   * @throws AppError: it does not count
   */
  async vote(looking: Looking, { n, choice }: VotePress): Promise<Pressed> {
    const { turn, phrases } = looking;
    try {
      await this.parts.votes.cast(BOTS_KEY, namedBy(turn), n, { choice, ballotId: turn.update.id });
    } catch (error) {
      if (!isRefusal(error) || !OVER.has(error.code)) throw error;
      return { told: phrases.failed(error.code, error.message), shows: await this.after(looking, n) };
    }
    return { told: phrases.voted(phrases.choices[choice]), shows: await this.after(looking, n) };
  }

  /** Opens or withdraws a proposal. @throws AppError */
  async act(looking: Looking, { n, act }: ProposalPress): Promise<Pressed> {
    const { turn, phrases } = looking;
    const { proposals } = this.parts;
    if (act === 'open') await proposals.open(BOTS_KEY, namedBy(turn), n);
    else await proposals.withdraw(BOTS_KEY, namedBy(turn), n);
    const told = act === 'open' ? phrases.opened(n) : phrases.withdrawn(n);
    return { told, shows: await this.after(looking, n) };
  }

  /** What was done is done, whether it can be shown or not. */
  private async after(looking: Looking, n: number): Promise<ReplyContent | undefined> {
    try {
      return await this.parts.cards.show(looking, n);
    } catch (error) {
      if (isRefusal(error)) return undefined;
      throw error;
    }
  }
}
