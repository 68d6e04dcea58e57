/** The signal that tells the workflow of a run to look again: a person has decided something. */
export const POKE_CREW_SIGNAL = 'poke';
