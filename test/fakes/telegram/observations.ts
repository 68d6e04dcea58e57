import type { Awaited, CallRecord } from './commands.js';
import type { Scene } from './scene.js';
import type { Told } from './world.js';

const MOST_CALLS = 50_000;

/** What the bot did, for whoever wants to know. */
export class Observations {
  calls: CallRecord[] = [];
  counts: Record<string, number> = {};
  violations: string[] = [];

  begin(call: CallRecord): void {
    this.calls.push(call);
    if (this.calls.length > MOST_CALLS) this.calls.shift();
    this.counts[call.method] = (this.counts[call.method] ?? 0) + 1;
  }

  reset(): void {
    this.calls = [];
    this.counts = {};
    this.violations = [];
  }
}

const textOf = ({ versions }: Told): string => versions.at(-1)?.text ?? '';

/** Messages of the bot behind another one that say what is waited for; undefined: not all there yet. */
function answers({ world }: Scene, wanted: Extract<Awaited, { what: 'answered' }>): Told[] | undefined {
  const { chat, after, topic, count = 1, matching } = wanted;
  const pattern = matching === undefined ? /^(?!…$)/ : new RegExp(matching, 'su');
  const behind = [...world.chat(chat).messages.values()].filter(({ id, by, deletedAt, topic: where }) => {
    return id > after && by === 'bot' && deletedAt === undefined && (topic ?? where) === where;
  });
  const done = behind.filter((told) => pattern.test(textOf(told)));
  return done.length >= count ? done : undefined;
}

/** What is waited for, once it is so. */
export function found(scene: Scene, { calls }: Observations, wanted: Awaited): Told[] | undefined {
  if (wanted.what === 'answered') return answers(scene, wanted);
  if (wanted.what === 'delivered') return scene.queue.idle ? [] : undefined;
  if (wanted.what === 'heard') return scene.presses.get(wanted.press)?.answer ? [] : undefined;
  const done = calls.filter(({ method, done: isDone }) => isDone && method === wanted.method);
  return done.length >= wanted.count ? [] : undefined;
}

/** What there is instead of what is waited for. */
export function told(scene: Scene, { counts }: Observations, wanted: Awaited): string {
  const chat = wanted.what === 'answered' ? scene.world.chat(wanted.chat) : undefined;
  const lines = [...(chat?.messages.values() ?? [])].map((each) => `${each.id} ${each.by}: ${textOf(each)}`);
  const rest = `${scene.queue.waiting.length} updates wait; calls: ${JSON.stringify(counts)}`;
  return [JSON.stringify(wanted), rest, ...lines.slice(-20)].join('\n');
}
