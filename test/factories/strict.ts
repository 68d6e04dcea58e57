/** A part that has only what a test gave it; anything else that is asked of it fails the test. */
export function strict<T extends object>(name: string, parts: Partial<T>): T {
  return new Proxy(parts, {
    get(target, key) {
      // `then` is asked of whatever is awaited, to find out whether it is a promise.
      if (key in target || key === 'then') return target[key as keyof typeof target];
      throw new Error(`${name}.${String(key)} was called unprepared`);
    },
  }) as T;
}
