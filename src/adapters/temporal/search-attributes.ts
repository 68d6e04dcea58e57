import type { Connection } from '@temporalio/client';
import type { Logger } from 'pino';
import { SEARCH_ATTRIBUTES } from '../../contracts/search-attributes.js';
import { isForgotten, isRefusal } from './refusals.js';

/** `temporal.api.enums.v1.IndexedValueType`. */
const INDEXED_TYPES = { KEYWORD: 2, INT: 3, BOOL: 5 } as const;

/**
 * Adds those of our search attributes that a namespace lacks: on a server of somebody else's, or in a development
 * database that an earlier version of ours created.
 * @returns names of those that were added
 */
export async function addMissingSearchAttributes(
  operator: Connection['operatorService'],
  namespace: string,
): Promise<string[]> {
  const { customAttributes } = await operator.listSearchAttributes({ namespace });
  const missing = Object.values(SEARCH_ATTRIBUTES).filter(({ name }) => !(name in (customAttributes ?? {})));
  if (missing.length === 0) return [];
  const searchAttributes = Object.fromEntries(missing.map(({ name, type }) => [name, INDEXED_TYPES[type]]));
  await operator.addSearchAttributes({ namespace, searchAttributes });
  return Object.keys(searchAttributes);
}

/**
 * The same, and says so in the log. A server may not let us: then our starts are refused until somebody with more rights
 * has added them.
 * @returns whether the namespace has them all
 * @throws whatever is no refusal: the server is away
 */
export async function ensureSearchAttributes(
  operator: Connection['operatorService'],
  namespace: string,
  log: Logger,
): Promise<boolean> {
  try {
    const added = await addMissingSearchAttributes(operator, namespace);
    if (added.length > 0) log.info({ namespace, added }, 'search attributes added to Temporal');
    return true;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    const why = isForgotten(error)
      ? 'Temporal has no such namespace; create it: docs/operations.md'
      : 'search attributes may not be added with these rights; add them by hand: docs/operations.md';
    log.warn({ namespace, err: error }, why);
    return false;
  }
}
