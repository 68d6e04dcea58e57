/**
 * All that may differ in what a DAO sees when another one's data are changed. Time and chance are the run's own, so ids
 * and moments are the same, and need no place here.
 */
export const MAY_DIFFER = {
  headers: { date: 'Node writes it, by a clock that nothing else here goes by' },
  fields: { modified_at: 'the file system writes it, by the clock of the machine' },
};

const masked = (names, value) =>
  Object.fromEntries(Object.entries(value).map(([name, one]) => [name, name in names ? `<${name}>` : one]));

const FIELDS = new RegExp(`(\\\\?"(${Object.keys(MAY_DIFFER.fields).join('|')})\\\\?":)\\\\?"[^"\\\\]*\\\\?"`, 'g');

/** A text without the fields that may differ: of an object, of events, and of JSON that stands in a text. */
const withoutFields = (text) => text.replaceAll(FIELDS, '$1"<$2>"');

/** An answer as the comparison takes it: every byte of it, but for those fields. */
export function seen({ status, headers, body }) {
  // How long a body is is told by the body itself.
  return `${status} ${JSON.stringify(masked(MAY_DIFFER.headers, headers))}\n${withoutFields(body)}`;
}
