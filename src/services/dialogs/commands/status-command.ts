import type { SeenGate } from '../../../contracts/crew-view.js';
import type { ReplyContent } from '../../../contracts/dialog.js';
import type { Button } from '../../../contracts/messenger.js';
import type { AtWork, ShownAnswersRepository } from '../../../adapters/store/shown-answers.repository.js';
import { button } from '../../../domain/dialog/buttons.js';
import type { Phrases } from '../../../domain/dialog/phrases.js';
import { bold, lines, rich, type Piece } from '../../../domain/dialog/rich.js';
import { shownWords } from '../../../domain/dialog/shown-words.js';
import type { CrewRunsService } from '../../crew-runs.service.js';
import { gateTag } from '../tags.js';
import { BOTS_KEY } from '../turn.js';
import { namedBy, paragraphs, type Asked, type Handlers } from './asked.js';

/** Most of what waits for somebody that a message shows. */
const MOST_GATES = 5;

export interface StatusParts {
  answers: Pick<ShownAnswersRepository, 'atWork'>;
  runs: Pick<CrewRunsService, 'asked'>;
}

/** What is at work for somebody, and what waits for their decision. */
export class StatusCommand {
  readonly handlers: Handlers = { status: (asked) => this.status(asked) };

  constructor(private readonly parts: StatusParts) {}

  private async status({ turn, phrases }: Asked): Promise<ReplyContent> {
    const { update, daoId } = turn;
    const { requests, waiting } = await this.parts.answers.atWork(update, daoId);
    // What is decided about people is nothing to show in a group.
    const gates = update.kind === 'private' ? await this.parts.runs.asked(BOTS_KEY, namedBy(turn)) : undefined;
    const shown = gates?.slice(0, MOST_GATES) ?? [];
    return paragraphs(
      [
        requests.length === 0 ? phrases.statusIdle : lines([bold(phrases.atWork), ...requests.map(workWords(phrases))]),
        waiting > 0 ? phrases.messagesWait(waiting) : undefined,
        gates && (shown.length === 0 ? phrases.waitsForYouNone : bold(phrases.waitsForYou)),
        ...shown.map((gate, index) => gateWords(gate, index + 1, phrases)),
      ],
      shown.flatMap((gate, index) => gateButtons(gate, index + 1, phrases)),
    );
  }
}

const workWords =
  (phrases: Phrases) =>
  ({ mode, crew, status, waitsForPeople }: AtWork): string => {
    const what = crew === null ? phrases.modes[mode] : (phrases.crews[crew] ?? crew);
    const how = status === 'accepted' && mode !== 'crew' ? phrases.isWaiting : phrases.isRunning;
    return `• ${what}: ${waitsForPeople ? phrases.waitsForPeople : how}`;
  };

function gateWords({ ask, crew = '', kind, shown }: SeenGate, place: number, phrases: Phrases): Piece {
  const what = phrases.crews[crew] ?? crew;
  const words = kind === 'question' ? `${ask} (${phrases.answerElsewhere})` : ask;
  return rich(bold(`${place}. ${what}`), '\n', lines([words, shownWords(shown)].filter((line) => line !== '')));
}

function gateButtons(
  { kind, run_id: runId = '', id, revision }: SeenGate,
  place: number,
  phrases: Phrases,
): Button[][] {
  if (kind !== 'approval') return [];
  const tag = gateTag(runId, id, revision);
  return [
    [
      button(phrases.approve(place), { what: 'gate', tag, act: 'approve' }),
      button(phrases.reject(place), { what: 'gate', tag, act: 'reject' }),
    ],
  ];
}
