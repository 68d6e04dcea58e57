import { table } from './stats.mjs';

/** What a bench is to reach; a figure that cannot be had is a miss. */
export class Aims {
  rows = [];
  missed = 0;

  /** @param {string} text the figure as people read it */
  check(name, aim, reached, text) {
    if (!reached) this.missed += 1;
    this.rows.push([name, text, aim, reached ? 'PASS' : 'MISS']);
  }

  atMost(name, value, limit, unit = '', digits = 2) {
    this.check(name, `at most ${limit}${unit}`, value <= limit, `${value.toFixed(digits)}${unit}`);
  }

  atLeast(name, value, limit, unit = '', digits = 2) {
    this.check(name, `at least ${limit}${unit}`, value >= limit, `${value.toFixed(digits)}${unit}`);
  }

  between(name, value, [low, high], unit = '', digits = 2) {
    const reached = value >= low && value <= high;
    this.check(name, `${low} to ${high}${unit}`, reached, `${value.toFixed(digits)}${unit}`);
  }

  toString() {
    return table(['aim', 'figure', 'wanted', ''], this.rows);
  }
}
