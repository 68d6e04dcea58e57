/** Header that chooses a DAO among those of the key. */
export const DAO_HEADER = 'x-dagi-dao';
/** Header in which a gateway key names who acts. */
export const USER_HEADER = 'x-dagi-user';
/** Header of a caller for whom a connection that breaks means nothing: it comes back, or cancels in words. */
export const DETACHED_HEADER = 'x-dagi-detached';
/** Header of the same call again by which such a caller gives it up. */
export const CANCEL_HEADER = 'x-dagi-cancel';
