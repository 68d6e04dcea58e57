import { sha256 } from '../../adapters/digest.js';

const OF_GATE = 16;

/** What a button carries in place of an id that is too long for it, or to say of which DAO it is. */
export const tagOf = (text: string, digits = 8): string => sha256(text).slice(0, digits);

/** What a run asks, and as it was asked: once it has changed, it is another question. */
export const gateTag = (runId: string, gate: string, revision: number): string =>
  tagOf(`${runId} ${gate} ${revision}`, OF_GATE);
