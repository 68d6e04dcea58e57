import { parseArgs } from 'node:util';

/** Seed, number of requests and number of kills; a seed that is not given is drawn, and printed. */
export function readOptions(args, defaults) {
  const { values } = parseArgs({
    args,
    options: { seed: { type: 'string' }, requests: { type: 'string' }, kills: { type: 'string' } },
  });
  return {
    seed: Number(values.seed ?? Math.floor(Math.random() * 1_000_000)),
    requests: Number(values.requests ?? defaults.requests),
    kills: Number(values.kills ?? defaults.kills),
  };
}
