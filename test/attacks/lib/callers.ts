import type { Served } from './served.js';

/** An answer of the product. */
export interface Answer {
  call: string;
  status: number;
  text: string;
}

interface Sent {
  body?: object | undefined;
  headers?: Record<string, string>;
  /** The attack that it is made for: its answer is kept. */
  id?: string;
}

/** People with keys of their own, and what they were answered. */
export class Callers {
  /** Keys of everybody, the platform's first. */
  readonly keys: string[] = [];
  private readonly people = new Map<string, string>();
  private readonly answers = new Map<string, Answer[]>();
  private readonly served: Served;

  constructor(served: Served) {
    this.served = served;
    this.keys.push(served.adminKey);
  }

  /** Gives somebody a key: they are called `<dao>/<name>` from then on. */
  async add(name: string, dao: string, principal: string): Promise<void> {
    const { key } = await this.must('platform', 'POST', '/keys', { name, dao_id: dao, principal });
    this.people.set(`${dao}/${name}`, key as string);
    this.keys.push(key as string);
  }

  /** A call of the stage itself. @throws if it is refused */
  async must(who: string, method: string, path: string, body?: object): Promise<Record<string, unknown>> {
    const { status, text } = await this.call(who, method, path, { body });
    if (status >= 300) throw new Error(`${method} ${path} by ${who}: ${status} ${text}`);
    return JSON.parse(text) as Record<string, unknown>;
  }

  /** A call by somebody, `platform` for the administrator of all. */
  async call(who: string, method: string, path: string, { body, headers, id }: Sent = {}): Promise<Answer> {
    const key = who === 'platform' ? this.served.adminKey : this.people.get(who);
    const response = await fetch(`${this.served.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, ...(body && { 'content-type': 'application/json' }), ...headers },
      ...(body && { body: JSON.stringify(body) }),
    });
    const answer = { call: `${method} ${path}`, status: response.status, text: await response.text() };
    if (id !== undefined) this.answers.set(id, [...this.answersTo(id), answer]);
    return answer;
  }

  /** What was answered to calls that were made for an attack. */
  answersTo(id: string): Answer[] {
    return this.answers.get(id) ?? [];
  }
}
