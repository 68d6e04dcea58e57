import type { RequestBody } from '../../contracts/bodies.js';
import { chatDataOf } from '../../contracts/bodies.js';
import type { ReplyContent } from '../../contracts/dialog.js';
import type { FailureType } from '../../contracts/failures.js';
import { plainText, type RichText } from '../../contracts/rich-text.js';
import { feedbackButtons } from '../../domain/dialog/buttons.js';
import type { Phrases } from '../../domain/dialog/phrases.js';
import { lines } from '../../domain/dialog/rich.js';
import { richOf } from '../../domain/rich-text/markdown.js';
import { DeliveryError } from '../../errors/delivery-error.js';
import type { Accepted } from '../accepted.js';
import type { OutcomesService } from '../outcomes.service.js';
import { pause, type ReplyWriter } from './reply-writer.js';

/** What platforms show for "is writing" is gone after five seconds. */
const TYPING_MS = 4_000;

/** Codes of requests whose time was over, and failures of calls that were. */
const TOO_LATE: ReadonlySet<string> = new Set(['PROVIDER_TIMEOUT', 'DEADLINE_EXCEEDED']);
const OF_TIME: ReadonlySet<string> = new Set<FailureType>(['ProviderTimeout', 'DeadlineExceeded']);

/** How far a request is, for whoever shows it. */
class Progress {
  text = '';
  body: RequestBody | undefined;
  private place: { position: number; seconds: number } | undefined;
  private wake = (): void => undefined;
  private news = new Promise<void>((resolve) => (this.wake = resolve));

  /** Resolves when there is something new, or after so many milliseconds, or with the signal. */
  async changed(ms: number, signal: AbortSignal): Promise<void> {
    const late = new AbortController();
    try {
      await Promise.race([this.news, pause(ms, AbortSignal.any([signal, late.signal]))]);
    } finally {
      late.abort();
    }
    this.news = new Promise<void>((resolve) => (this.wake = resolve));
  }

  async follow(events: ReturnType<OutcomesService['events']>): Promise<void> {
    for await (const event of events) {
      if (event.type === 'attempt') this.text = '';
      if (event.type === 'token') this.text += event.data.text;
      if (event.type === 'queue') {
        const { position, expected_wait_ms: ms } = event.data;
        this.place = { position, seconds: Math.max(1, Math.ceil(ms / 1_000)) };
      }
      if (event.type === 'done' || event.type === 'error') this.body = event.data;
      this.wake();
    }
  }

  /** What is shown meanwhile. */
  words({ thinking, waiting }: Phrases): RichText {
    if (this.text.trim() !== '') return richOf(`${this.text} …`, { unfinished: true });
    return plainText(this.place ? waiting(this.place.position, this.place.seconds) : thinking);
  }
}

/** The beginning of an answer, with what became of the rest. */
const cutOff = (text: string, why: string): RichText =>
  lines([richOf(`${text.trimEnd()} …`, { unfinished: true }), why], '\n\n');

/** The reply to a message whose answer a request gives: shown as it comes, and complete in the end. */
export class RequestReply {
  private readonly progress = new Progress();

  constructor(
    private readonly outcomes: OutcomesService,
    private readonly writer: ReplyWriter,
    private readonly phrases: Phrases,
  ) {}

  /**
   * Follows a request to its end.
   * @returns how it ended; undefined: the signal came before
   * @throws DeliveryError, Superseded
   */
  async write(accepted: Accepted, signal: AbortSignal): Promise<RequestBody | undefined> {
    const enough = new AbortController();
    const either = AbortSignal.any([signal, enough.signal]);
    const followed = this.progress.follow(this.outcomes.events(accepted, undefined, either));
    followed.catch(() => undefined);
    try {
      await this.show(either, followed);
      await (this.progress.body ? undefined : followed);
    } finally {
      enough.abort();
    }
    const { body } = this.progress;
    if (body) await this.writer.complete(this.contentOf(body));
    return body;
  }

  /** Shows what there is, as often as the platform bears it. */
  private async show(signal: AbortSignal, followed: Promise<void>): Promise<void> {
    const ended = (): boolean => this.progress.body !== undefined || signal.aborted;
    const over = new AbortController();
    void followed
      .catch(() => undefined)
      .finally(() => {
        over.abort();
      });
    const stop = AbortSignal.any([signal, over.signal]);
    // What was begun before shows something already; how it ended may be known at once.
    let shown = this.writer.isBegun ? this.progress.words(this.phrases).text : '';
    let notBefore = 0;
    while (!ended() && !stop.aborted) {
      const words = this.progress.words(this.phrases);
      if (words.text === shown) {
        await this.progress.changed(TYPING_MS, stop);
        if (this.progress.text === '' && !ended()) await this.writer.typing();
        continue;
      }
      await pause(notBefore - Date.now(), stop);
      if (ended()) return;
      notBefore = Date.now() + (await this.draft(this.progress.words(this.phrases)));
      shown = words.text;
    }
  }

  /**
   * Shows a draft. That the platform bears no more at the moment is no reason to fail: there is more to show soon.
   * @returns how long it is to be left alone, in milliseconds
   */
  private async draft(words: RichText): Promise<number> {
    const isFirst = !this.writer.isBegun;
    try {
      await this.writer.draft(words);
      // The first words may follow at once.
      return isFirst ? 0 : this.writer.editEveryMs;
    } catch (error) {
      if (isFirst || !(error instanceof DeliveryError)) throw error;
      if (error.problem === 'limited') return error.detail.retryAfterMs ?? this.writer.editEveryMs;
      if (error.problem === 'closed' || error.problem === 'moved') throw error;
      return this.writer.editEveryMs;
    }
  }

  private contentOf(body: RequestBody): ReplyContent {
    if (body.ok) {
      const { text = '', finish_reason: reason } = chatDataOf(body) ?? {};
      const shown = reason === 'length' ? cutOff(text, this.phrases.cutShort) : richOf(text);
      return { body: shown, buttons: feedbackButtons(body.request_id) };
    }
    // What somebody has read stays, however it ended.
    const said = this.progress.text.trim();
    const { code, message } = body.error;
    if (said !== '') return { body: cutOff(said, this.endOf(body)), buttons: [] };
    const words = code === 'REQUEST_CANCELLED' ? this.phrases.stopped : this.phrases.failed(code, message);
    return { body: plainText(words), buttons: [] };
  }

  /** Why an answer has no end. */
  private endOf({ error: { code }, attempts }: Extract<RequestBody, { ok: false }>): string {
    const { stopped, outOfTime, brokeOff } = this.phrases;
    if (code === 'REQUEST_CANCELLED') return stopped;
    const isLate = TOO_LATE.has(code) || (code === 'STREAM_INTERRUPTED' && OF_TIME.has(attempts.at(-1)?.error ?? ''));
    return isLate ? outOfTime : brokeOff;
  }
}
