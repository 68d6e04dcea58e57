/** A number with its thousands apart: `12,345`. */
export const count = (value: number): string => value.toLocaleString('en-US');

/** A number of things, in words that agree with it: `1 rule`, `2 rules`. */
export const counted = (value: number, one: string, more = `${one}s`): string =>
  `${count(value)} ${value === 1 ? one : more}`;
