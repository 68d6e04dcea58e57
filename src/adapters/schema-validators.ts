import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { LRUCache } from 'lru-cache';
import { cutText } from '../contracts/text.js';

/** Says in sentences what of a value does not fit; nothing: it fits. `whole` is what the value is called. */
type Validate = (value: unknown, whole?: string) => string[];

const MOST_SCHEMAS = 500;
/** Most problems of one value that are told, and the longest list of what is allowed, in UTF-16 units. */
const MOST_TOLD = 20;
const LONGEST_LIST = 2_000;
/** Names that nobody knows are cut where they are told. */
const LONGEST_NAME = 100;

/** Checks of values against JSON Schemas, each made once. Schemas come from crews, which were checked themselves. */
export class SchemaValidators {
  private readonly made = new LRUCache<string, Validate>({ max: MOST_SCHEMAS });

  of(schema: Readonly<Record<string, unknown>>): Validate {
    const name = JSON.stringify(schema);
    const known = this.made.get(name);
    if (known) return known;
    // A compiler for each: one keeps all that it ever compiled.
    const check = new Ajv({ allErrors: true, strict: false, validateFormats: false }).compile(schema);
    const validate: Validate = (value, whole = 'the answer') => (check(value) ? [] : sentences(check, whole));
    this.made.set(name, validate);
    return validate;
  }
}

/** As many as people read: a value has room for thousands of problems, and each may come with all that is allowed. */
function sentences({ errors }: ValidateFunction, whole: string): string[] {
  const told = (errors ?? []).slice(0, MOST_TOLD).map((error) => sentence(error, whole));
  const more = (errors ?? []).length - told.length;
  return more > 0 ? [...told, `and ${more} more`] : told;
}

function sentence({ instancePath, message = 'does not fit', params }: ErrorObject, whole: string): string {
  const where = instancePath === '' ? whole : instancePath.slice(1).replaceAll('/', '.');
  const named = params as { allowedValues?: unknown[]; additionalProperty?: string };
  const allowed = named.allowedValues ? ` (${listOf(named.allowedValues)})` : '';
  const extra = named.additionalProperty === undefined ? '' : ` (${cutText(named.additionalProperty, LONGEST_NAME)})`;
  return `${where} ${message}${allowed}${extra}`;
}

const listOf = (values: readonly unknown[]): string =>
  cutText(values.map((one) => JSON.stringify(one)).join(', '), LONGEST_LIST);
