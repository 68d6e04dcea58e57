import { jest } from '@jest/globals';
import { buildProgram } from '../../src/cli/program.js';
import { ADMIN_KEY, type Product } from './harness.js';

const VARIABLES = ['DAGI_URL', 'DAGI_API_KEY'] as const;

/** What a command printed, and how it failed, if it did. */
export interface Outcome {
  out: string;
  error?: { code: string; message: string };
}

/** `dagi` as people call it, each with a key. */
export class CommandLine {
  /** Keys by what they are. */
  readonly keys: Record<string, string> = { platform: ADMIN_KEY };
  private readonly former = VARIABLES.map((name) => [name, process.env[name]] as const);

  constructor(private readonly product: Product) {}

  /** The environment as it was. */
  restore(): void {
    for (const [name, value] of this.former) {
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
    }
  }

  /** Runs `dagi WORDS` with a key. */
  async dagi(by: string, words: string[]): Promise<Outcome> {
    Object.assign(process.env, { DAGI_URL: this.product.url, DAGI_API_KEY: this.keys[by] ?? by });
    let out = '';
    const write = jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
      out += String(text);
      return true;
    });
    try {
      await buildProgram().parseAsync(words, { from: 'user' });
      return { out };
    } catch (error) {
      return { out, error: error as { code: string; message: string } };
    } finally {
      write.mockRestore();
    }
  }

  /** What a command that succeeds prints. */
  async done(by: string, ...words: string[]): Promise<string> {
    const { out, error } = await this.dagi(by, words);
    if (error) throw error as unknown as Error;
    return out;
  }

  async json(by: string, ...words: string[]): Promise<Record<string, unknown>> {
    return JSON.parse(await this.done(by, ...words, '--json')) as Record<string, unknown>;
  }

  /** Makes a key of a DAO, and remembers it under a name. */
  async newKey(name: string, dao: string, ...words: string[]): Promise<void> {
    this.keys[name] = firstLine(await this.done('platform', 'keys', 'create', '--dao', dao, ...words));
  }
}

export const firstLine = (text: string): string => text.split('\n')[0] ?? '';
