import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

const FILE = join(import.meta.dirname, '../../docs/dify/dagi-tools.openapi.yml');

interface Property {
  type?: string;
  default?: unknown;
}

interface Operation {
  operationId: string;
  parameters: { name: string; in: string }[];
  requestBody?: { content: { 'application/json': { schema: { properties: Record<string, Property> } } } };
}

/** What a tool gave: as Dify hands it to the model. */
export interface DifyToolAnswer {
  status: number;
  body: Record<string, unknown>;
}

/**
 * The file of custom tools as Dify takes it: a parameter is a text, a number or a choice, and what a model writes for an
 * object or a list is JSON in a text, which Dify reads before it sends it. A default is sent where nothing is given.
 */
export class DifyTools {
  private readonly tools: ReadonlyMap<string, { method: string; path: string; operation: Operation }>;

  /** @param server what is filled in for the placeholder of the file */
  constructor(
    private readonly server: string,
    private readonly key: string,
  ) {
    const { paths } = parse(readFileSync(FILE, 'utf8'), { version: '1.1' }) as {
      paths: Record<string, Record<string, Operation>>;
    };
    const tools = Object.entries(paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]) => ({ method, path, operation })),
    );
    this.tools = new Map(tools.map((tool) => [tool.operation.operationId, tool]));
  }

  get names(): string[] {
    return [...this.tools.keys()];
  }

  /** Calls a tool with what a model says. @throws Error if the tool has no such parameter */
  async call(name: string, said: Readonly<Record<string, string | number>>): Promise<DifyToolAnswer> {
    const tool = this.tools.get(name);
    if (!tool) throw new Error(`no tool ${name}`);
    const { method, path, operation } = tool;
    const properties = operation.requestBody?.content['application/json'].schema.properties ?? {};
    const placed = operation.parameters.map((one) => one.name);
    const strange = Object.keys(said).filter((one) => !(one in properties) && !placed.includes(one));
    if (strange.length > 0) throw new Error(`${name} has no ${strange.join()}`);
    const body = Object.entries(properties).flatMap(([key, { type, default: fallback }]): [string, unknown][] => {
      const value = said[key] ?? fallback;
      return value === undefined ? [] : [[key, asType(type, value)]];
    });
    const address = path.replaceAll(/\{(\w+)\}/g, (_all, one: string) => encodeURIComponent(String(said[one])));
    const response = await fetch(`${this.server}${address}`, {
      method: method.toUpperCase(),
      headers: { authorization: `Bearer ${this.key}`, 'content-type': 'application/json' },
      ...(operation.requestBody && { body: JSON.stringify(Object.fromEntries(body)) }),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }
}

function asType(type: string | undefined, value: unknown): unknown {
  if (typeof value !== 'string') return value;
  if (type === 'object' || type === 'array') return JSON.parse(value) as unknown;
  return type === 'integer' || type === 'number' ? Number(value) : value;
}
