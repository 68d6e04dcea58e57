import { cut } from './rich.js';

/** Most characters of what somebody is asked about. */
const MOST = 600;

/** What people are shown at a gate, as plain text: names and values, one below the other. */
export const shownWords = (shown: Readonly<Record<string, unknown>>): string => cut(told(shown).join('\n'), MOST);

function told(value: unknown, name?: string): string[] {
  const head = name === undefined ? '' : `${name.replaceAll('_', ' ')}: `;
  if (Array.isArray(value)) return [head.trimEnd(), ...value.flatMap((one) => told(one))].filter((line) => line !== '');
  if (typeof value === 'object' && value !== null) return Object.entries(value).flatMap(([key, one]) => told(one, key));
  if (value === null || value === undefined) return [];
  return [`${head}${typeof value === 'string' ? value : JSON.stringify(value)}`];
}
