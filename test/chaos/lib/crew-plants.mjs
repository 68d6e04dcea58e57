import { appendFileSync } from 'node:fs';
import { join } from 'node:path';

const all = { victim: 'product', after: 300 };

/** Mistakes to be found: promises that are broken while the product is away. By name: where, and how. */
export const PLANTS = {
  /** A recorded answer is forgotten. */
  bought: {
    targets: (targets) =>
      targets.filter(({ kind }) => kind === 'model').map((one) => ({ ...one, ...all, moment: 'ended', after: 0 })),
    breakIt: ({ journal }, run, { key }) =>
      journal.rows(`update requests set status = 'running', ended_at = null where id = $1`, [`${run.id}.${key}`]),
  },
  /** An approval that was applied is forgotten. */
  approved: {
    targets: (targets) => targets.filter(({ moment }) => moment === 'sent').map((one) => ({ ...one, ...all })),
    breakIt: async ({ journal }, run, { key }) => {
      await journal.rows('delete from crew_decisions where run_id = $1 and gate = $2', [run.id, key]);
      await journal.rows(`update crew_gates set state = 'open', decided_at = null where run_id = $1 and id = $2`, [
        ...[run.id, key],
      ]);
    },
  },
  /** What was written is written once more. */
  written: {
    targets: (targets) =>
      targets.filter(({ play, moment }) => play.file && moment === 'sent').map((one) => ({ ...one, ...all })),
    breakIt: async ({ workspace }, { n, play }) => appendFileSync(join(workspace, play.file(n)), `${play.line(n)}\n`),
  },
};
