import type { Lane } from '../../src/contracts/dialog.js';

/** The signal that tells the workflow of a dialog to look again: something came in, or is due. */
export const POKE_DIALOG_SIGNAL = 'poke';
/** What may have come in; absent: anything. */
export type DialogPoke = [lane?: Lane];
