/** What others wrote as JSON, as far as it is an object; else an empty one. */
export const recordOf = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};

/** The object that a text is as JSON; undefined: it is no JSON, or there is none. */
export function parsedRecord(text: string | undefined): Record<string, unknown> | undefined {
  try {
    return text === undefined ? undefined : recordOf(JSON.parse(text));
  } catch {
    return undefined;
  }
}
