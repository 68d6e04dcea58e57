import { isRecorded, writeHistory } from './histories.js';
import { Stage } from '../workflows/stage.js';
import { SHAPES } from './shapes.js';

/**
 * Plays every shape on the Temporal server of the tests and writes its history down.
 * @param again whether shapes that were recorded for this release are recorded once more
 * @returns names of the shapes that were written
 */
export async function recordHistories(release: string, again: boolean): Promise<string[]> {
  const shapes = Object.entries(SHAPES).filter(([name]) => again || !isRecorded(release, name));
  const stage = await Stage.open();
  try {
    for (const [name, { play }] of shapes) {
      writeHistory(release, name, await play(stage, name));
    }
  } finally {
    await stage.close();
  }
  return shapes.map(([name]) => name);
}
