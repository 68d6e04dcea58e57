/** Columns of the longest bar. */
export const BAR_WIDTH = 30;

/** A bar, as long as its share of the most; at least a sliver for whatever is there. */
export const bar = (value: number, most: number): string =>
  value === 0 ? '' : '█'.repeat(Math.max(1, Math.round((value / most) * BAR_WIDTH)));
