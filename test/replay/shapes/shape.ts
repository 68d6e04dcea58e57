import type { History } from '@temporalio/common/lib/proto-utils.js';
import type { WORKFLOWS } from '../../../src/contracts/ids.js';
import type { Stage } from '../../workflows/stage.js';

/** One way through a workflow. */
export interface Shape {
  workflow: keyof typeof WORKFLOWS;
  /** Activities in the order of the history. */
  activities: string[];
  closes: 'COMPLETED' | 'FAILED' | 'CANCELED' | 'CONTINUED_AS_NEW';
  /** Fewest events that such a history has. */
  events: number;
  /**
   * Goes that way, with scripted activities.
   * @param id the shape's name
   */
  play(stage: Stage, id: string): Promise<History>;
}

/** The ways through one workflow. */
export const waysThrough = (
  workflow: Shape['workflow'],
  ways: Record<string, Omit<Shape, 'workflow'>>,
): Record<string, Shape> => Object.fromEntries(Object.entries(ways).map(([name, way]) => [name, { ...way, workflow }]));
