/** A secret of an invitation, or of a code for a second id, as it is made: the DAO follows its kind, then what nobody can guess. */
const FORM = '(inv|lnk)_([a-z0-9][a-z0-9._-]{0,63})_[\\w-]{43}';
const WHOLE = new RegExp(`^${FORM}$`);
const WITHIN = new RegExp(`\\b${FORM}`, 'g');

/** Of which DAO a secret is; undefined: that can be none. */
export const daoOfSecret = (secret: string): string | undefined => WHOLE.exec(secret)?.[2];

/** A text without what is secret in it: whoever reads it later could redeem what was meant for its author. */
export const withoutSecrets = (text: string): string => text.replaceAll(WITHIN, '$1_$2_…');
