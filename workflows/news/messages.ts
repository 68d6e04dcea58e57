/** The signal that tells the workflow of a DAO's news to look again: something has happened. */
export const POKE_NEWS_SIGNAL = 'poke';
