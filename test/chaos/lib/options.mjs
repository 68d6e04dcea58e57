import { parseArgs } from 'node:util';

/**
 * Seed, numbers of requests, of requests a second, of minutes, of kills, of kills in a second half and of rounds, and a mistake
 * that is planted; a seed that is not given is drawn, and printed.
 */
export function readOptions(args, defaults) {
  const { values } = parseArgs({
    args,
    options: {
      seed: { type: 'string' },
      requests: { type: 'string' },
      rate: { type: 'string' },
      minutes: { type: 'string' },
      kills: { type: 'string' },
      'embedded-kills': { type: 'string' },
      members: { type: 'string' },
      rounds: { type: 'string' },
      plant: { type: 'string' },
    },
  });
  return {
    seed: Number(values.seed ?? Math.floor(Math.random() * 1_000_000)),
    requests: Number(values.requests ?? defaults.requests),
    rate: Number(values.rate ?? defaults.rate),
    minutes: Number(values.minutes ?? Infinity),
    kills: Number(values.kills ?? defaults.kills),
    embeddedKills: Number(values['embedded-kills'] ?? 20),
    members: Number(values.members ?? defaults.members),
    rounds: Number(values.rounds ?? 1),
    plant: values.plant,
  };
}
