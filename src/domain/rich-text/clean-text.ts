/**
 * Characters that a message has no use for: controls but newline and tab, marks that turn the direction of writing (a
 * text could be shown as another one than it is), and those that Unicode keeps for programs.
 */
const UNWANTED =
  /[\u0000-\u0008\u000e-\u001f\u007f-\u0084\u0086-\u009f\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb\p{Noncharacter_Code_Point}]/gu;
const LINE_ENDS = /\r\n?|[\v\f\u0085\u2028\u2029]/g;

/**
 * A text as it may stand in a message: whatever ends a line is a newline, unwanted characters are gone, and halves of
 * characters have become U+FFFD.
 */
export const cleanText = (text: string): string =>
  text.toWellFormed().replaceAll(LINE_ENDS, '\n').replaceAll(UNWANTED, '');

/** Whether a person would see nothing of it. */
export const isBlank = (text: string): boolean => !/[^\s\p{Default_Ignorable_Code_Point}]/u.test(text);
