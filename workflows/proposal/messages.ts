/** The signal that tells the workflow of a proposal to look again: somebody did something, or it may have missed a moment. */
export const POKE_SIGNAL = 'poke';
