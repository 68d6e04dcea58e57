// Time and chance as the run wants them, the database's included: what is left to differ between two worlds is data.
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { randomFrom } from '../../chaos/lib/seed.mjs';

const RealDate = Date;
const realTimeout = setTimeout;
const realClear = clearTimeout;
/** Timers of this length or longer go by the run's time; shorter ones only gather or wait for what is under way. */
const LONG_MS = 5_000;

let now = 0;
let random = randomFrom(0);
/** Chances that the database takes in stock, a thousand at once, whenever it has run out of them. */
let stock = randomFrom(0);
const STOCK_BYTES = 256;
/** Long timers that wait, in the order in which they were set. */
const waiting = new Set();

const filled = (view) => {
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  const draw = bytes.length < STOCK_BYTES ? random : stock;
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = Math.floor(draw() * 256);
  return view;
};

/** A number that texts stand for. */
export const numberOf = (...parts) => crypto.createHash('sha256').update(parts.join(' ')).digest().readUInt32LE(0);

/** From here on nothing of this process has a time or a chance of its own. To be called before the product is loaded. */
export function takeOver(time) {
  now = time;
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, args, self) => Reflect.construct(target, args.length > 0 ? args : [now], self),
    apply: () => new RealDate(now).toString(),
    get: (target, name, self) => (name === 'now' ? () => now : Reflect.get(target, name, self)),
  });
  Object.defineProperty(performance, 'now', { value: () => now - time });
  globalThis.setTimeout = (callback, ms = 0, ...rest) =>
    ms < LONG_MS ? realTimeout(callback, ms, ...rest) : new LongTimer(() => callback(...rest), now + ms);
  globalThis.clearTimeout = (timer) => (timer instanceof LongTimer ? timer.close() : realClear(timer));
  // Of its own: names of queries are drawn here, and how many there are depends on whoever has something due.
  Math.random = randomFrom(0);
  crypto.randomBytes = (size) => filled(Buffer.alloc(size));
  crypto.randomFillSync = filled;
  crypto.randomUUID = uuid;
  crypto.randomInt = (low, high) => low + Math.floor(random() * (high - low));
  syncBuiltinESMExports();
  Object.defineProperty(globalThis.crypto, 'getRandomValues', { value: filled });
  Object.defineProperty(globalThis.crypto, 'randomUUID', { value: uuid });
}

/** Begins a moment: the same time and the same chances wherever it begins. */
export function beginMoment(time, ...name) {
  now = time;
  random = randomFrom(numberOf(...name));
}

/**
 * Lets time pass. Timers that are due by then fire at their own moments, one after the other, each with chances of its
 * own: what one of them begins must not depend on whose the one before was.
 * @param {() => Promise<void>} settle resolves when nothing is under way any more
 */
export async function passTime(time, settle) {
  const next = () => [...waiting].filter(({ at }) => at <= time).toSorted((one, other) => one.at - other.at)[0];
  for (let timer = next(); timer; timer = next()) {
    timer.close();
    beginMoment(timer.at, 'timer', timer.at);
    timer.fire();
    await settle();
  }
}

/** A new beginning: nothing waits, and each database that is opened from here on takes the same chances in stock. */
export function beginAnew(...name) {
  waiting.clear();
  stock = randomFrom(numberOf('stock', ...name));
}

class LongTimer {
  constructor(fire, at) {
    Object.assign(this, { fire, at });
    waiting.add(this);
  }

  close() {
    waiting.delete(this);
  }

  ref() {
    return this;
  }

  unref() {
    return this;
  }

  hasRef() {
    return false;
  }
}

function uuid() {
  const hex = filled(Buffer.alloc(16)).toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20)].join('-');
}
