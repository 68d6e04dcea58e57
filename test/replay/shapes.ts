import { AUDIT_HEADS_SHAPES } from './shapes/audit-heads.js';
import { CREW_SHAPES } from './shapes/crew-run.js';
import { DIALOG_SHAPES } from './shapes/dialog.js';
import { DEVTOOLS_SHAPES } from './shapes/devtools-run.js';
import { NEWS_SHAPES } from './shapes/news.js';
import { PROPOSAL_SHAPES } from './shapes/proposal.js';
import { ROUTE_SHAPES } from './shapes/route-request.js';
import type { Shape } from './shapes/shape.js';

/**
 * Every way through every workflow, by the name of its file. A new branch needs a new shape; a recorded history is never
 * replaced.
 */
export const SHAPES: Readonly<Record<string, Shape>> = {
  ...ROUTE_SHAPES,
  ...DEVTOOLS_SHAPES,
  ...CREW_SHAPES,
  ...PROPOSAL_SHAPES,
  ...DIALOG_SHAPES,
  ...NEWS_SHAPES,
  ...AUDIT_HEADS_SHAPES,
};
