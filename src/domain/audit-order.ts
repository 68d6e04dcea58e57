/**
 * Numbers that stand at another place than their order says: the fewest whose removal leaves the rest in order.
 * @param numbers each at most once
 */
export function displaced(numbers: readonly number[]): number[] {
  if (numbers.every((one, place) => place === 0 || one > (numbers[place - 1] ?? 0))) return [];
  const kept = new Set(longestRise(numbers));
  return numbers.filter((one) => !kept.has(one));
}

/** The longest rising part of a sequence, by patience sorting. */
function longestRise(numbers: readonly number[]): number[] {
  /** Place of the smallest number with which a rise of this length ends. */
  const ends: number[] = [];
  const before: (number | undefined)[] = [];
  numbers.forEach((one, place) => {
    let [low, high] = [0, ends.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((numbers[ends[middle] ?? 0] ?? 0) < one) low = middle + 1;
      else high = middle;
    }
    before[place] = low === 0 ? undefined : ends[low - 1];
    ends[low] = place;
  });
  const rise: number[] = [];
  for (let place = ends.at(-1); place !== undefined; place = before[place]) rise.push(numbers[place] ?? 0);
  return rise.reverse();
}

/** What is missing of 1, 2, 3, … up to the last of `known` or `upTo`, as pairs of first and last. */
export function missing(known: readonly number[], upTo: number): [from: number, to: number][] {
  const gaps: [number, number][] = [];
  let expected = 1;
  for (const one of known) {
    if (one > expected) gaps.push([expected, one - 1]);
    expected = one + 1;
  }
  if (expected <= upTo) gaps.push([expected, upTo]);
  return gaps;
}
