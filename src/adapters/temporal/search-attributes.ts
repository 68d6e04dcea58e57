import type { Connection } from '@temporalio/client';
import { SEARCH_ATTRIBUTES } from '../../contracts/search-attributes.js';

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
