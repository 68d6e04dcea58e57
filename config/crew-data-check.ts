import type { Path } from './complaints.js';
import { DATA_TYPES, type DataNode } from './crew-data-schema.js';
import { hint, quoted } from './nearest.js';

/** Tells what is wrong with what a path leads to. */
export type Complain = (path: Path, reason: string) => void;

/** Levels of lists and objects within each other, the outermost not counted. */
const DEEPEST = 6;
/** Of one schema, parts in all. */
const MOST_PARTS = 500;
/** Values to choose from, in one output: the grammar of the embedded model follows each, beside the names of tools. */
const MOST_VALUES = 200;

type Type = (typeof DATA_TYPES)[number];

/** Keys that say something of some types alone. */
const KEYS_OF: readonly (readonly [key: keyof DataNode, types: readonly Type[]])[] = [
  ['properties', ['object']],
  ['required', ['object']],
  ['additionalProperties', ['object']],
  ['items', ['array']],
  ['minItems', ['array']],
  ['maxItems', ['array']],
  ['minLength', ['string']],
  ['maxLength', ['string']],
  ['minimum', ['number', 'integer']],
  ['maximum', ['number', 'integer']],
  ['enum', ['string', 'number', 'integer', 'boolean']],
  ['const', ['string', 'number', 'integer', 'boolean']],
];

const RANGES = [
  ['minItems', 'maxItems'],
  ['minLength', 'maxLength'],
  ['minimum', 'maximum'],
] as const;

function fits(value: string | number | boolean, type: Type): boolean {
  if (type === 'integer') return Number.isSafeInteger(value);
  return typeof value === type;
}

const sizeOf = ({ minimum = -Infinity, maximum = Infinity }: DataNode): number =>
  Math.floor(maximum) - Math.ceil(minimum) + 1;

/**
 * Looks at a schema of inputs or of an output as a whole. Outputs stay within what the grammar of the embedded model
 * can follow (`src/adapters/llm/embedded-schema.ts`), so that every crew works with every provider.
 */
export class DataSchemaCheck {
  private parts = 0;
  private values = 0;

  constructor(
    private readonly kind: 'inputs' | 'output',
    private readonly complain: Complain,
  ) {}

  top(schema: DataNode, path: Path): void {
    if (schema.type !== 'object') {
      this.complain(
        [...path, 'type'],
        `expected object: ${this.kind === 'inputs' ? 'inputs have' : 'an output has'} named parts`,
      );
      return;
    }
    this.node(schema, path, 0);
    if (this.parts > MOST_PARTS) this.complain(path, `more than ${MOST_PARTS} parts`);
    if (this.kind === 'output' && this.values > MOST_VALUES) {
      const reason = `more than ${MOST_VALUES} values to choose from, each whole number between two bounds being one`;
      this.complain(path, reason);
    }
  }

  private node(schema: DataNode, path: Path, level: number): void {
    this.parts += 1;
    if (level > DEEPEST) {
      this.complain(path, `nested deeper than ${DEEPEST} levels`);
      return;
    }
    this.values += schema.enum?.length ?? 0;
    this.typed(schema, path);
    for (const [least, most] of RANGES) {
      if ((schema[least] ?? -Infinity) > (schema[most] ?? Infinity))
        this.complain([...path, least], `more than \`${most}\``);
    }
    if (schema.type === 'object') this.object(schema, path, level);
    if (schema.type === 'array') this.array(schema, path, level);
    if (this.kind === 'output') this.number(schema, path);
  }

  private typed(schema: DataNode, path: Path): void {
    const { type, enum: values, const: only } = schema;
    if (values && only !== undefined) this.complain([...path, 'const'], 'has no effect beside `enum`');
    if (type === undefined) {
      if (!values && only === undefined) this.complain(path, `missing: \`type\`, one of ${DATA_TYPES.join(', ')}`);
      return;
    }
    for (const [key, types] of KEYS_OF) {
      if (schema[key] !== undefined && !types.includes(type))
        this.complain([...path, key], `has no effect on type ${type}`);
    }
    values?.forEach((value, index) => {
      if (!fits(value, type)) this.complain([...path, 'enum', index], `is no ${type}`);
      if (values.indexOf(value) !== index) this.complain([...path, 'enum', index], 'the value is there twice');
    });
    if (only !== undefined && !fits(only, type)) this.complain([...path, 'const'], `is no ${type}`);
  }

  private object({ properties = {}, required = [] }: DataNode, path: Path, level: number): void {
    const names = Object.keys(properties);
    if (names.length === 0 && !(this.kind === 'inputs' && level === 0)) {
      this.complain(path, 'missing: `properties`, the parts of the object');
    }
    required.forEach((name, index) => {
      if (names.includes(name)) return;
      this.complain(
        [...path, 'required', index],
        `there is no ${quoted(name)} among the properties${hint(name, names)}`,
      );
    });
    for (const [name, part] of Object.entries(properties)) this.node(part, [...path, 'properties', name], level + 1);
  }

  private array({ items }: DataNode, path: Path, level: number): void {
    if (items) this.node(items, [...path, 'items'], level + 1);
    else this.complain(path, 'missing: `items`, what each entry is');
  }

  /** Whole numbers between two bounds are told one by one, others cannot be bounded. */
  private number(schema: DataNode, path: Path): void {
    if (schema.enum ?? schema.const ?? (schema.minimum === undefined && schema.maximum === undefined)) return;
    if (schema.type !== 'integer' && schema.type !== 'number') return;
    const key = schema.minimum === undefined ? 'maximum' : 'minimum';
    const size = schema.type === 'integer' ? sizeOf(schema) : Infinity;
    if (size < 1) this.complain([...path, key], 'no whole number is between the bounds');
    if (size <= MOST_VALUES) {
      this.values += size;
      return;
    }
    const reason = `in an output only whole numbers can have bounds, both of them, at most ${MOST_VALUES} values apart: list what there is in \`enum\`, or leave them out`;
    this.complain([...path, key], reason);
  }
}
