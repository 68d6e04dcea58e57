import { appendFileSync } from 'node:fs';
import { join } from 'node:path';

/** All of the product is killed at a moment of some targets. */
const at = (moment, isMeant) => (targets) =>
  targets.filter(isMeant).map((target) => ({ ...target, moment, victim: 'product', after: 0 }));

/** Mistakes to be found: promises that are broken while the product is away. By name: at which targets, and how. */
export const PLANTS = {
  /** An answer is forgotten that was recorded. */
  bought: {
    targets: at('ended', ({ kind }) => kind === 'model'),
    breakIt: ({ journal }, { id }, { key }) =>
      journal.rows(`update requests set status = 'running', ended_at = null where id = $1`, [`${id}.${key}`]),
  },
  /** An approval is forgotten that was applied. */
  approved: {
    targets: at('decided', ({ moment }) => moment === 'decided'),
    breakIt: async ({ journal }, { id }, { key }) => {
      await journal.rows('delete from crew_decisions where run_id = $1 and gate = $2', [id, key]);
      await journal.rows(`update crew_gates set state = 'open' where run_id = $1 and id = $2`, [id, key]);
    },
  },
  /** What was approved is written once more. */
  written: {
    targets: at('decided', ({ moment, play }) => moment === 'decided' && play.file),
    breakIt: async ({ workspace }, { n, play }) => appendFileSync(join(workspace, play.file(n)), `${play.line(n)}\n`),
  },
};
