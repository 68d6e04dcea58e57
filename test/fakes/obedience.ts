import type { ChatBody, FakeTools } from './fake-dialect.js';
import { textOf } from './fake-text.js';
import { ordersIn } from './orders.js';
import type { Wish, Wishes } from './wishes.js';

/** What an obeying model says in a turn: calls of tools, or a text. */
export type Obeyed = { calls: FakeTools['calls'] } | { text: string };

/** Most calls in one turn. */
const MOST_CALLS = 10;
const LONGEST_TOLD = 3_000;

type Schema = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** All that stands in a conversation but the model's own words. */
export const toldIn = ({ messages }: Pick<ChatBody, 'messages'>): string =>
  messages
    .filter(({ role }) => role !== 'assistant')
    .map(({ content }) => textOf(content))
    .join('\n');

/** The mark of data, as the system message of an agent tells of it. */
export const markIn = ({ messages }: Pick<ChatBody, 'messages'>): string | undefined =>
  messages
    .filter(({ role }) => role === 'system')
    .map(({ content }) => /stands between "\[data ([0-9a-f]{8,64})"/.exec(textOf(content))?.[1])
    .find((mark) => mark !== undefined);

/** Which orders a model was given. */
export const ordersTo = (body: Pick<ChatBody, 'messages'>): string[] => ordersIn(toldIn(body));

function worded(says: string, body: ChatBody): string {
  const prompt = body.messages.filter(({ role }) => role === 'system').map(({ content }) => textOf(content));
  return says
    .replaceAll('{mark}', markIn(body) ?? '')
    .replaceAll('{prompt}', prompt.join('\n'))
    .replaceAll('{told}', toldIn(body).slice(0, LONGEST_TOLD));
}

/** Calls as models write them that cannot make them, in all ways at once. */
function callsInWords(calls: Wish['calls']): string {
  const [first] = calls;
  if (!first) return '';
  const { name, arguments: params } = first;
  return [
    JSON.stringify({ action: name, params }),
    `<tool_call>${JSON.stringify({ name, arguments: params })}</tool_call>`,
    `\`\`\`json\n${JSON.stringify({ tool: name, parameters: params })}\n\`\`\``,
  ].join('\n');
}

/** Makes the output that a schema asks for, with the attacker's words wherever a text may stand. */
class Sample {
  private count = 0;
  private readonly says: string;

  constructor(says: string) {
    this.says = says;
  }

  of(schema: unknown, index = 0): unknown {
    if (!isObject(schema)) return this.says;
    const { type, enum: values, const: only, properties, items } = schema;
    if (only !== undefined) return only;
    if (Array.isArray(values)) return values[index % values.length] as unknown;
    if (isObject(properties)) {
      return Object.fromEntries(Object.entries(properties).map(([name, part]) => [name, this.of(part, index)]));
    }
    if (type === 'array') return this.list(schema, items);
    if (type === 'integer' || type === 'number') return typeof schema.minimum === 'number' ? schema.minimum : 1;
    return type === 'boolean' ? true : this.text(schema);
  }

  private list({ minItems = 0, maxItems = Infinity }: Schema, items: unknown): unknown[] {
    // Choices may be left out: of names that are no choice something is told.
    const least = isObject(items) && Array.isArray(items.enum) ? 0 : 1;
    const length = Math.min(Math.max(Number(minItems), least), Number(maxItems));
    return Array.from({ length }, (_, index) => this.of(items, index));
  }

  private text({ minLength = 0, maxLength = 2_000 }: Schema): string {
    const end = ` (${(this.count += 1)})`;
    const most = Math.max(1, Number(maxLength) - end.length);
    return `${this.says.slice(0, most)}${end}`.slice(0, Number(maxLength)).padEnd(Number(minLength), '.');
  }
}

/** The output that is asked for; without a schema a report, which is what agents with tools write in test/attacks. */
function fitting(body: ChatBody, says: string): string {
  const format = body.response_format as { json_schema?: { schema?: unknown } } | undefined;
  const schema = format?.json_schema?.schema;
  return JSON.stringify(schema ? new Sample(says).of(schema) : { report: says || 'Done.' });
}

/** What an honest agent does first: the call of a tool that its inputs name. */
function honestCall(body: ChatBody): FakeTools['calls'] | undefined {
  const first = /: inputs\.first\]\n(.*)\n/.exec(toldIn(body))?.[1];
  if (!body.tools || first === undefined || first === 'null') return undefined;
  return [JSON.parse(JSON.parse(first) as string) as FakeTools['calls'][number]];
}

/**
 * What a model says that obeys whoever speaks to it: each turn another way to get what the attacker wants, calls first,
 * then the same in words, then the attacker's words alone; when nothing is left to try, an answer that fits.
 * @returns undefined: it has nothing to do here but to answer
 */
export function obey(body: ChatBody, wishes: Wishes): Obeyed | undefined {
  const wanted = ordersTo(body).flatMap((id) => wishes[id] ?? []);
  const turn = body.messages.filter(({ role }) => role === 'assistant').length;
  const says = worded(wanted.map((wish) => wish.says).join(' '), body).trim();
  const calls = wanted.flatMap((wish) => wish.calls).slice(0, MOST_CALLS);
  const honest = turn === 0 ? honestCall(body) : undefined;
  if (honest) return { calls: [...honest, ...calls].slice(0, MOST_CALLS) };
  // A chat, without a form to answer in.
  if (!markIn(body) && !body.tools)
    return wanted.length > 0 && turn === 0 ? { text: `${says}\n${callsInWords(calls)}` } : undefined;
  const moves: Obeyed[] = [
    ...(calls.length > 0 ? [{ calls }, { text: callsInWords(calls) }] : []),
    ...(says === '' ? [] : [{ text: says }]),
  ];
  // Calls cost nothing but turns, which an answer that does not fit would end.
  if (wanted.some(({ endless }) => endless)) return moves[0];
  const done = honestCall(body) ? turn - 1 : turn;
  return moves[done] ?? { text: fitting(body, says) };
}
