import type { SeenGate } from '../../../contracts/crew-view.js';
import type { ReplyContent } from '../../../contracts/dialog.js';
import type { Button } from '../../../contracts/messenger.js';
import type { NewsViewsRepository } from '../../../adapters/store/news-views.repository.js';
import type { AtWork, ShownAnswersRepository } from '../../../adapters/store/shown-answers.repository.js';
import { button } from '../../../domain/dialog/buttons.js';
import type { Phrases } from '../../../domain/dialog/phrases.js';
import { bold, lines, rich, type Piece } from '../../../domain/dialog/rich.js';
import { gateWords } from '../../../domain/news/gate-words.js';
import { newsPhrasesIn } from '../../../domain/news/phrases.js';
import type { CrewRunsService } from '../../crew-runs.service.js';
import { gateTag } from '../tags.js';
import { BOTS_KEY } from '../turn.js';
import { namedBy, paragraphs, type Asked, type Handlers } from './asked.js';

/** Most of what waits for somebody that a message shows. */
const MOST_GATES = 5;

export interface StatusParts {
  answers: Pick<ShownAnswersRepository, 'atWork'>;
  runs: Pick<CrewRunsService, 'asked'>;
  views: Pick<NewsViewsRepository, 'gate'>;
}

/** What is at work for somebody, and what waits for their decision. */
export class StatusCommand {
  readonly handlers: Handlers = { status: (asked) => this.show(asked) };

  constructor(private readonly parts: StatusParts) {}

  /** @throws AppError those of access */
  async show({ turn, phrases }: Asked): Promise<ReplyContent> {
    const { update, daoId } = turn;
    const { requests, waiting } = await this.parts.answers.atWork(update, daoId);
    // What is decided about people is nothing to show in a group.
    const gates = update.kind === 'private' ? await this.parts.runs.asked(BOTS_KEY, namedBy(turn)) : undefined;
    const shown = gates?.slice(0, MOST_GATES) ?? [];
    const asked = await Promise.all(shown.map((gate, index) => this.gateWords(gate, index + 1, turn, phrases)));
    return paragraphs(
      [
        requests.length === 0 ? phrases.statusIdle : lines([bold(phrases.atWork), ...requests.map(workWords(phrases))]),
        waiting > 0 ? phrases.messagesWait(waiting) : undefined,
        gates && (shown.length === 0 ? phrases.waitsForYouNone : bold(phrases.waitsForYou)),
        ...asked,
      ],
      shown.flatMap((gate, index) => gateButtons(gate, index + 1, phrases)),
    );
  }

  private async gateWords(
    { ask, crew = '', kind, shown, run_id: runId = '', id }: SeenGate,
    place: number,
    { daoId, language }: Asked['turn'],
    phrases: Phrases,
  ): Promise<Piece> {
    const gate = await this.parts.views.gate(daoId, runId, id);
    const words = gateWords({ ask, shown, inputs: gate?.inputs ?? {} }, newsPhrasesIn(language));
    const answered = kind === 'question' ? `(${phrases.answerElsewhere})` : undefined;
    return rich(bold(`${place}. ${phrases.crews[crew] ?? crew}`), '\n', lines([...words, answered]));
  }
}

const workWords =
  (phrases: Phrases) =>
  ({ mode, crew, status, waitsForPeople }: AtWork): string => {
    const what = crew === null ? phrases.modes[mode] : (phrases.crews[crew] ?? crew);
    const how = status === 'accepted' && mode !== 'crew' ? phrases.isWaiting : phrases.isRunning;
    return `• ${what}: ${waitsForPeople ? phrases.waitsForPeople : how}`;
  };

function gateButtons(
  { kind, run_id: runId = '', id, revision }: SeenGate,
  place: number,
  phrases: Phrases,
): Button[][] {
  if (kind !== 'approval') return [];
  const tag = gateTag(runId, id, revision);
  return [
    [
      button(phrases.approve(place), { what: 'gate', tag, act: 'approve', isListed: true }),
      button(phrases.reject(place), { what: 'gate', tag, act: 'reject', isListed: true }),
    ],
  ];
}
