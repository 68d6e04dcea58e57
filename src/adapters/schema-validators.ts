import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { LRUCache } from 'lru-cache';

/** Says in sentences what of a value does not fit; nothing: it fits. */
type Validate = (value: unknown) => string[];

const MOST_SCHEMAS = 500;

/** Checks of values against JSON Schemas, each made once. Schemas come from crews, which were checked themselves. */
export class SchemaValidators {
  private readonly made = new LRUCache<string, Validate>({ max: MOST_SCHEMAS });

  of(schema: Readonly<Record<string, unknown>>): Validate {
    const name = JSON.stringify(schema);
    const known = this.made.get(name);
    if (known) return known;
    // A compiler for each: one keeps all that it ever compiled.
    const check = new Ajv({ allErrors: true, strict: false, validateFormats: false }).compile(schema);
    const validate: Validate = (value) => (check(value) ? [] : sentences(check));
    this.made.set(name, validate);
    return validate;
  }
}

const sentences = ({ errors }: ValidateFunction): string[] => (errors ?? []).map(sentence);

function sentence({ instancePath, message = 'does not fit', params }: ErrorObject): string {
  const where = instancePath === '' ? 'the answer' : instancePath.slice(1).replaceAll('/', '.');
  const named = params as { allowedValues?: unknown[]; additionalProperty?: string };
  const allowed = named.allowedValues ? ` (${named.allowedValues.map((one) => JSON.stringify(one)).join(', ')})` : '';
  const extra = named.additionalProperty === undefined ? '' : ` (${named.additionalProperty})`;
  return `${where} ${message}${allowed}${extra}`;
}
