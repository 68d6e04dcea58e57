import type { Update } from 'grammy/types';

export type UpdateKind = Exclude<keyof Update, 'update_id'>;

/** An update on its way to the bot. */
export interface Waiting {
  update: Update;
  /** Whose turn it is in: updates of a chat go one after the other. */
  chat: number;
  /** It is handed over twice, in the same moment. */
  twice: boolean;
  /** It was handed over before, and is once more. */
  again: boolean;
  /** Of the webhook: whether it is being sent, how often it failed, and when it is tried again. */
  busy: boolean;
  failures: number;
  notBefore: number;
  since: number;
}

/** What may go wrong with an update, and how often: by chance, or the next so many. */
export type UpdateFault = 'duplicate' | 'reorder' | 'twice';

/** What a bot does not get unless it asks. */
const ON_DEMAND: readonly string[] = ['chat_member', 'message_reaction', 'message_reaction_count'];
const FIRST_ID = 700_000_001;
/** An update that is to come late goes alone after this long, in milliseconds, if nothing overtakes it. */
const HELD_MS = 100;

/** Updates that the bot has not confirmed yet, oldest first. */
export class UpdateQueue {
  waiting: Waiting[] = [];
  /** Kinds that the bot asked for; empty: all but those on demand. */
  allowed: readonly string[] = [];
  /** How many were made, duplicates aside. */
  made = 0;
  /** The next so many are spoiled like that. */
  readonly planned: UpdateFault[] = [];
  private nextId = FIRST_ID;
  private readonly held = new Map<number, { entry: Waiting; timer: NodeJS.Timeout }>();
  private readonly draws: (fault: UpdateFault) => boolean;
  private readonly changed: () => void;

  /**
   * @param draws whether chance spoils an update so
   * @param changed hears of every update that is there to be handed over
   */
  constructor(draws: (fault: UpdateFault) => boolean, changed: () => void) {
    this.draws = draws;
    this.changed = changed;
  }

  /** Makes an update of a kind that the bot wants. */
  add(kind: UpdateKind, body: object, chat: number): void {
    const wanted = this.allowed.length > 0 ? this.allowed.includes(kind) : !ON_DEMAND.includes(kind);
    if (!wanted) return;
    const update = { update_id: this.nextId, [kind]: body } as Update;
    this.nextId += 1;
    this.made += 1;
    this.put(update, chat);
  }

  /** Hands over something as it is, whatever it is. */
  put(update: Update, chat: number): void {
    const spoiled = this.planned.shift();
    const spoils = (fault: UpdateFault): boolean => spoiled === fault || (spoiled === undefined && this.draws(fault));
    const entry = {
      ...{ update, chat, twice: spoils('twice'), again: false },
      ...{ busy: false, failures: 0, notBefore: 0, since: Date.now() },
    };
    if (!this.held.has(chat) && spoils('reorder')) this.hold(entry);
    else {
      this.waiting.push(entry);
      if (spoils('duplicate')) this.waiting.push({ ...entry, twice: false, again: true });
      this.release(chat);
    }
    this.changed();
  }

  /** One that the bot has taken. */
  remove(entry: Waiting): void {
    this.waiting = this.waiting.filter((other) => other !== entry);
  }

  /** Everything below an id is done, but for what is still to come once more. */
  confirm(offset: number): void {
    this.waiting = this.waiting.filter(({ update, again }) => again || update.update_id >= offset);
  }

  clear(): void {
    for (const { timer } of this.held.values()) clearTimeout(timer);
    this.held.clear();
    this.waiting = [];
  }

  /** Nothing is on its way, or held back. */
  get idle(): boolean {
    return this.waiting.length === 0 && this.held.size === 0;
  }

  private hold(entry: Waiting): void {
    const timer = setTimeout(() => {
      this.release(entry.chat);
      this.changed();
    }, HELD_MS);
    this.held.set(entry.chat, { entry, timer });
  }

  private release(chat: number): void {
    const held = this.held.get(chat);
    if (!held) return;
    clearTimeout(held.timer);
    this.held.delete(chat);
    this.waiting.push(held.entry);
  }
}
