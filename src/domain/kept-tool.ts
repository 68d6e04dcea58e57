/** Longer texts of a request for a tool are not kept once it has ended, in UTF-16 units. */
const LONGEST_KEPT = 1_000;

/**
 * A request for a tool as it is kept: where it held a long text, such as the new content of a file, it says how long.
 * The parameters of tools are shallow, and their long texts stand by themselves.
 */
export function withoutLongTexts(request: { tool: string; params: object }): object {
  const params = Object.entries(request.params).map(([name, value]): [string, unknown] => [name, keptValue(value)]);
  return { tool: request.tool, params: Object.fromEntries(params) };
}

function keptValue(value: unknown): unknown {
  const characters = typeof value === 'string' ? value.length : JSON.stringify(value ?? null).length;
  return characters > LONGEST_KEPT ? { characters } : value;
}
