import type { Asks } from '../../contracts/conversation.js';
import type { Language, OpenUpdate } from '../../contracts/dialog.js';
import { cutText } from '../../contracts/text.js';
import type { NewsViewsRepository } from '../../adapters/store/news-views.repository.js';
import type { PendingRepository } from '../../adapters/store/pending.repository.js';
import type { Press } from '../../domain/dialog/presses.js';
import { newsPhrasesIn, type NewsPhrases } from '../../domain/news/phrases.js';
import { AppError } from '../../errors/app-error.js';
import type { ErrorCode } from '../../errors/catalogue.js';
import type { CrewRunsService } from '../crew-runs.service.js';
import { gateTag } from '../dialogs/tags.js';
import { BOTS_KEY } from '../dialogs/turn.js';

/** Longest comment or answer, in UTF-16 units. */
const LONGEST = 4_000;

/** Somebody in a chat of a DAO. */
export interface InChat {
  update: OpenUpdate;
  daoId: string;
  language: Language;
}

/** A press of a button under what a run asks. */
type GatePress = Pick<Extract<Press, { what: 'gate' }>, 'tag' | 'act'>;

type GateAsks = Extract<Asks, { kind: 'gate' }>;

export interface GatePressesParts {
  runs: Pick<CrewRunsService, 'asked' | 'decide'>;
  pending: Pick<PendingRepository, 'ask'>;
  views: Pick<NewsViewsRepository, 'recentGates'>;
}

/** What buttons under approvals and questions do. Whether somebody may is asked when they press. */
export class GatePresses {
  constructor(private readonly parts: GatePressesParts) {}

  /**
   * Decides what was pressed, or asks for the words that it takes: the next message is those.
   * @returns what the person is told at once
   * @throws AppError of what is away, and refusals other than of the gate itself
   */
  async press({ update, daoId, language }: InChat, { tag, act }: GatePress): Promise<string> {
    const phrases = newsPhrasesIn(language);
    const { actor: userId } = update;
    const open = await this.parts.runs.asked(BOTS_KEY, { daoId, userId });
    const gate = open.find(({ run_id: runId = '', id, revision }) => gateTag(runId, id, revision) === tag);
    if (gate?.run_id === undefined) return this.whyNot(daoId, tag, phrases);
    const { run_id: runId, id, revision } = gate;
    if (act === 'return' || act === 'answer') {
      await this.parts.pending.ask(update, daoId, { kind: 'gate', runId, gate: id, revision, decision: act });
      return act === 'return' ? phrases.askComment : phrases.askAnswer;
    }
    return told(phrases, () =>
      this.parts.runs.decide(BOTS_KEY, runId, { gate: id, revision, decision: act }, { userId }),
    );
  }

  /** Why nothing is decided by a button: it was decided, or is another question by now, or is for others. */
  private async whyNot(daoId: string, tag: string, phrases: NewsPhrases): Promise<string> {
    const recent = await this.parts.views.recentGates(daoId);
    const found = recent.find(({ runId, gate, revision: newest }) =>
      Array.from({ length: newest }, (_, at) => newest - at).some((one) => gateTag(runId, gate, one) === tag),
    );
    if (!found || found.state === 'closed') return phrases.states.closed;
    const { runId, gate, revision, state } = found;
    if (state === 'expired') return phrases.states.expired;
    if (state !== 'open') return `${phrases.decidedEarlier} ${phrases.states[state]}`;
    return gateTag(runId, gate, revision) === tag ? phrases.notYours : phrases.changed;
  }

  /** Decides with the words of a message. @returns what the person is told @throws AppError as `press` */
  async answered(
    { update, language }: Pick<InChat, 'update' | 'language'>,
    text: string,
    { runId, gate, revision, decision }: GateAsks,
  ): Promise<string> {
    const phrases = newsPhrasesIn(language);
    const made = { gate, revision, decision, comment: cutText(text, LONGEST) };
    const words = await told({ ...phrases, decided: phrases.passedOn }, () =>
      this.parts.runs.decide(BOTS_KEY, runId, made, { userId: update.actor }),
    );
    // Whoever was killed just after it was decided finds it decided.
    return update.isAgain && (words === phrases.decidedTwice || words === phrases.decidedEarlier)
      ? phrases.passedOn
      : words;
  }
}

const REFUSALS: Partial<
  Record<ErrorCode, keyof NewsPhrases & ('decidedEarlier' | 'decidedTwice' | 'changed' | 'notYours')>
> = {
  GATE_CLOSED: 'decidedEarlier',
  DECISION_MADE: 'decidedTwice',
  GATE_CHANGED: 'changed',
  GATE_NOT_FOUND: 'notYours',
  RUN_NOT_FOUND: 'notYours',
};

async function told(phrases: NewsPhrases, decide: () => Promise<unknown>): Promise<string> {
  try {
    await decide();
    return phrases.decided;
  } catch (error) {
    const name = error instanceof AppError ? REFUSALS[error.code] : undefined;
    if (name === undefined) throw error;
    return phrases[name];
  }
}
