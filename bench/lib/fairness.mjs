/** Jain's index of fairness: 1 if all have the same, 1/n if one has all. */
export function jain(values) {
  const sum = values.reduce((total, value) => total + value, 0);
  const squares = values.reduce((total, value) => total + value * value, 0);
  return squares > 0 ? (sum * sum) / (values.length * squares) : Number.NaN;
}

/**
 * Max-min fair shares of a capacity: nobody gets more than was asked for, and what one leaves goes to the others.
 * @param {number[]} demands of the same unit as the capacity; Infinity for a greedy one
 */
export function maxMinShares(demands, capacity) {
  const shares = demands.map(() => 0);
  let left = capacity;
  let open = demands.map((_, index) => index);
  while (open.length > 0) {
    const level = left / open.length;
    const content = open.filter((index) => demands[index] <= level);
    if (content.length === 0) {
      for (const index of open) shares[index] = level;
      break;
    }
    for (const index of content) {
      shares[index] = demands[index];
      left -= demands[index];
    }
    open = open.filter((index) => !content.includes(index));
  }
  return shares;
}
