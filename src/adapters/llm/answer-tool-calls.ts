import { randomUUID } from 'node:crypto';
import { BrokenAnswer } from './faults.js';
import type { GenerateChunk } from './provider.js';

type Fragment = Extract<GenerateChunk, { type: 'tool_call' }>;

/** An id as OpenAI's look, for endpoints that give none. */
const mintedId = (): string => `call_${randomUUID().replaceAll('-', '').slice(0, 24)}`;

/** Follows a text piece by piece, to see when it is one whole JSON object, so that nothing can follow. */
class ObjectInPieces {
  whole = false;
  private depth = 0;
  private quoted = false;
  private escaped = false;
  private noObject = false;

  push(piece: string): void {
    for (const letter of piece) {
      if (this.whole || this.noObject) return;
      this.read(letter);
    }
  }

  private read(letter: string): void {
    if (this.escaped) this.escaped = false;
    else if (this.quoted) {
      this.escaped = letter === '\\';
      this.quoted = letter !== '"';
    } else if (letter === '{') this.depth++;
    else if (this.depth === 0) this.noObject = letter.trim() !== '';
    else if (letter === '"') this.quoted = true;
    else if (letter === '}') this.whole = --this.depth === 0;
  }
}

/** One call, gathered from its fragments and told as far as it is known. */
class GatheredCall {
  /** The endpoint's number of the call. */
  readonly place: number;
  /** Everything was told; what still comes for it is no part of it. */
  over = false;
  /** Number of the call in our answer, from the moment on at which it was begun there. */
  index: number | undefined;
  private readonly shape = new ObjectInPieces();
  private id = '';
  private name = '';
  private waiting = '';

  constructor(place: number) {
    this.place = place;
  }

  /** Whether its arguments are one whole object. */
  get whole(): boolean {
    return this.shape.whole;
  }

  get isNothing(): boolean {
    return this.name === '' && this.id === '' && this.waiting === '';
  }

  /** Some endpoints give every call the same number: a name with another id, or with new arguments, is another call. */
  isOtherThan({ id, name, arguments: given }: Fragment): boolean {
    if (!name || this.name === '') return false;
    if (id && this.id !== '' && id !== this.id) return true;
    return this.whole && given.trimStart().startsWith('{');
  }

  add({ id, name, arguments: given }: Fragment): void {
    if (this.over) return;
    this.id ||= id ?? '';
    this.name ||= name ?? '';
    this.waiting += given;
    this.shape.push(given);
  }

  /** What can be told and was not yet: nothing before the name is known. */
  take(index: number): Fragment | undefined {
    if (this.name === '') return undefined;
    const given = this.waiting;
    this.waiting = '';
    if (this.index === undefined) {
      this.index = index;
      return { type: 'tool_call', index, id: this.id || mintedId(), name: this.name, arguments: given };
    }
    return given === '' ? undefined : { type: 'tool_call', index: this.index, arguments: given };
  }
}

/** The calls of one answer, by the endpoint's numbers; those of one number in the order in which they came. */
class CallsInOrder {
  private readonly calls: GatheredCall[] = [];
  /** How many are told to their end. */
  private told = 0;
  private begun = 0;

  *add(fragment: Fragment): Generator<Fragment> {
    const known = this.calls.findLast(({ place }) => place === fragment.index);
    const call = known && !known.isOtherThan(fragment) ? known : this.begin(fragment.index);
    call.add(fragment);
    yield* this.tell();
  }

  /** Everything that still waits, at the end of the answer. */
  *rest(): Generator<Fragment> {
    for (const call of this.calls.slice(this.told)) {
      if (call.isNothing) continue;
      const piece = this.take(call);
      if (piece) yield piece;
      // Nobody can make such a call, and nobody may be told that there was none.
      if (call.index === undefined) throw new BrokenAnswer('not the protocol');
    }
  }

  private begin(place: number): GatheredCall {
    const call = new GatheredCall(place);
    // What has begun to be told keeps its place.
    const from = this.calls[this.told]?.index === undefined ? this.told : this.told + 1;
    const at = this.calls.findIndex((other, index) => index >= from && other.place > place);
    this.calls.splice(at < 0 ? this.calls.length : at, 0, call);
    return call;
  }

  private *tell(): Generator<Fragment> {
    for (let call = this.next(); call; call = this.next()) {
      const piece = this.take(call);
      if (piece) yield piece;
      if (!this.isOver(call)) return;
      call.over = true;
      this.told++;
    }
  }

  /** The lowest call that is not over, unless a lower one may still come. */
  private next(): GatheredCall | undefined {
    const call = this.calls[this.told];
    const before = this.calls[this.told - 1]?.place ?? -1;
    return call && call.place <= before + 1 ? call : undefined;
  }

  /** Whether a call that was told so far has no more to come: another has begun, and it is whole or has its number. */
  private isOver(call: GatheredCall): boolean {
    const following = this.calls[this.told + 1];
    return call.index !== undefined && following !== undefined && (call.whole || following.place === call.place);
  }

  private take(call: GatheredCall): Fragment | undefined {
    const piece = call.take(this.begun);
    if (piece?.id !== undefined) this.begun++;
    return piece;
  }
}

/**
 * Puts calls of tools strictly one after the other. Fragments come by the endpoint's `index`, perhaps in turns, with
 * the id once, always or never, and the name once or always. The lowest call is passed on as it comes; later ones are
 * gathered until it is certainly over: its arguments are whole and another has begun, or the answer ends. Each begins
 * with id and name, and they are counted from 0.
 */
export async function* orderedToolCalls(chunks: AsyncIterable<GenerateChunk>): AsyncGenerator<GenerateChunk> {
  const calls = new CallsInOrder();
  for await (const chunk of chunks) {
    if (chunk.type === 'tool_call') yield* calls.add(chunk);
    else {
      if (chunk.type === 'end') yield* calls.rest();
      yield chunk;
    }
  }
}
