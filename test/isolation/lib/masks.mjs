/**
 * All that may differ in what a DAO sees when another one's data are changed. Time and chance are the run's own, so ids
 * and moments are the same, and need no place here.
 */
export const MAY_DIFFER = {
  headers: { date: 'Node writes it, by a clock that nothing else here goes by' },
  fields: {},
};

const masked = (names, value) =>
  Object.fromEntries(Object.entries(value).map(([name, one]) => [name, name in names ? `<${name}>` : one]));

/** A value without the fields that may differ, at whatever depth, and in JSON that stands in a text as well. */
function withoutFields(value) {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(withoutFields);
  const fields = masked(MAY_DIFFER.fields, value);
  return Object.fromEntries(Object.entries(fields).map(([name, one]) => [name, withoutFields(one)]));
}

/** An answer as the comparison takes it: every byte of it, but for those fields. */
export function seen({ status, headers, body }) {
  const shown =
    Object.keys(MAY_DIFFER.fields).length > 0 && body.startsWith('{')
      ? JSON.stringify(withoutFields(JSON.parse(body)))
      : body;
  return `${status} ${JSON.stringify(masked(MAY_DIFFER.headers, headers))}\n${shown}`;
}
