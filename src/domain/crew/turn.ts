import type { ChatMessage, ToolCall } from '../../contracts/chat.js';
import { withoutMark } from './data-block.js';
import { objectsIn } from './json-text.js';
import { ANSWER, withoutNulls } from './turn-schema.js';
import type { OfferedTool, TurnWay } from './turn-way.js';
import { cutText } from '../../contracts/text.js';
import { isObject, ownValue, shownValue } from './values.js';

/** Says in sentences what of a value does not fit a schema; nothing: it fits. */
export type Validate = (value: unknown) => string[];

/** A tool that may be used, with the check of its parameters. */
export type AllowedTool = Pick<OfferedTool, 'name' | 'parameters'> & { validate: Validate };

/** What a turn is read with. */
export interface TurnReader {
  way: TurnWay;
  /** Parses JSON and what is almost JSON; may throw. */
  parseJson: (text: string) => unknown;
  output: Validate;
  /** The output as its schema says it, where it was told in another way. */
  plain?: (output: Record<string, unknown>) => Record<string, unknown>;
  tools: readonly AllowedTool[];
  /** Most calls of one turn that are done; more are refused. */
  mostCalls: number;
  /** Whether the answer ended because it was as long as it may be: then nothing is guessed of what is missing. */
  isCut: boolean;
}

/** A tool that the model asks for. With a `refusal` it is not used: the model is answered that instead. */
export interface AskedTool {
  id: string;
  tool: string;
  params: Record<string, unknown>;
  refusal?: string;
}

export type Turn =
  | { kind: 'output'; value: Record<string, unknown> }
  | { kind: 'tools'; calls: AskedTool[] }
  | { kind: 'invalid'; problems: string[] };

/** Most problems that a model is told at once, and longest each, in UTF-16 units. */
const MOST_PROBLEMS = 10;
const LONGEST_PROBLEM = 300;

const NO_OBJECT = 'the answer holds no JSON object';
const TOO_LONG = 'the answer was too long and was cut off before its end: answer in fewer words';

/** Params as an object: some models write none, or a text that holds one. Undefined: neither. */
function paramsOf(given: unknown, { parseJson }: TurnReader): Record<string, unknown> | undefined {
  if (given === undefined || given === null || (typeof given === 'string' && given.trim() === '')) return {};
  if (typeof given === 'string') return objectsIn(given, parseJson)[0];
  return isObject(given) ? given : undefined;
}

function refused(call: Omit<AskedTool, 'params'>): AskedTool {
  return { ...call, params: {} };
}

/** A call of a tool, refused if it cannot be done as it was asked. */
function askedTool(id: string, tool: string, given: unknown, reader: TurnReader): AskedTool {
  const allowed = reader.tools.find(({ name }) => name === tool);
  const names = reader.tools.map(({ name }) => name).join(', ') || 'none';
  if (!allowed)
    return refused({
      id,
      tool: cutText(tool, 64),
      refusal: `${shownValue(tool)} is not a tool here; there are: ${names}`,
    });
  const params = paramsOf(given, reader);
  if (!params) return refused({ id, tool, refusal: `the parameters of ${tool} are no JSON object` });
  const kept = withoutNulls(params, allowed.parameters);
  const problems = allowed.validate(kept);
  if (problems.length === 0) return { id, tool, params: kept };
  return { id, tool, params: kept, refusal: `the parameters of ${tool} do not fit: ${bounded(problems).join('; ')}` };
}

/** Calls as their conversation keeps them: each has an id of its own, also where the model gave none. */
export function numberedCalls(toolCalls: readonly ToolCall[]): ToolCall[] {
  const seen = new Set<string>();
  return toolCalls.map((call, index) => {
    let id = call.id;
    for (let n = index + 1; id === '' || seen.has(id); n += 1) id = `call_${n}`;
    seen.add(id);
    return { ...call, id };
  });
}

function nativeTurn(toolCalls: readonly ToolCall[], reader: TurnReader): Turn {
  const calls = numberedCalls(toolCalls).map(({ id, name, arguments: given }, index) =>
    index < reader.mostCalls
      ? askedTool(id, name, given, reader)
      : refused({ id, tool: cutText(name, 64), refusal: 'too many calls in one turn: ask again for this one' }),
  );
  return { kind: 'tools', calls };
}

const isText = (value: unknown): value is string => typeof value === 'string';

/** The name of a tool that an object asks for, in our words or in those that models know from elsewhere. */
const askedName = (object: Record<string, unknown>): string | undefined =>
  ['action', 'tool', 'name', 'function'].map((key) => ownValue(object, key)).find(isText);

const askedParams = (object: Record<string, unknown>): unknown =>
  ['params', 'parameters', 'arguments', 'args'].map((key) => ownValue(object, key)).find((one) => one !== undefined);

function asOutput(told: unknown, { output, plain = (value) => value }: TurnReader): Turn {
  if (!isObject(told)) return { kind: 'invalid', problems: ['the output is no JSON object'] };
  const value = plain(told);
  const problems = output(value);
  return problems.length === 0 ? { kind: 'output', value } : { kind: 'invalid', problems: bounded(problems) };
}

const asCall = (object: Record<string, unknown>, tool: string, reader: TurnReader): Turn => ({
  kind: 'tools',
  calls: [askedTool('call_1', tool, askedParams(object), reader)],
});

/** An object that the model wrote, as a turn. With tools it may be a choice; it may be the output itself in any case. */
function objectTurn(object: Record<string, unknown>, reader: TurnReader): Turn {
  const plain = asOutput(object, reader);
  if (reader.tools.length === 0 || plain.kind === 'output') return plain;
  const name = askedName(object);
  if (name === ANSWER && 'output' in object) return asOutput(object.output, reader);
  if (name === undefined) return plain;
  const isTool = reader.tools.some((tool) => tool.name === name);
  // Something may be called `name` in an output, too: then what does not fit is told of the output.
  return isTool || (reader.way !== 'native' && 'action' in object) ? asCall(object, name, reader) : plain;
}

/**
 * What a model wants in a turn: to use tools, or to give its output. Words, fences and thoughts around JSON are passed
 * over; a call that cannot be done is refused by itself; nothing that a model writes makes this throw.
 * @param toolCalls calls of a model that makes them itself; where there are any, its text is no output
 */
export function readTurn(text: string, toolCalls: readonly ToolCall[], reader: TurnReader): Turn {
  if (toolCalls.length > 0) return nativeTurn(toolCalls, reader);
  const objects = objectsIn(text, reader.isCut ? undefined : reader.parseJson);
  const turns = objects.map((object) => objectTurn(object, reader));
  const usable = turns.find(({ kind }) => kind !== 'invalid');
  if (usable || !reader.isCut) return usable ?? turns[0] ?? { kind: 'invalid', problems: [NO_OBJECT] };
  return { kind: 'invalid', problems: [TOO_LONG] };
}

const bounded = (problems: readonly string[]): string[] =>
  problems.slice(0, MOST_PROBLEMS).map((problem) => cutText(problem, LONGEST_PROBLEM));

/**
 * Sends an answer back to the model that gave it, with what is wrong. It may hold words of that answer.
 * @param mark between which data stands: these lines hold none of it
 */
export function repairMessage(problems: readonly string[], mark: string): ChatMessage {
  const lines = bounded(problems).map((problem) => `- ${withoutMark(problem.replaceAll(/\s+/g, ' '), mark)}`);
  return {
    role: 'user',
    content: ['Your answer cannot be used:', ...lines, 'Answer again, in full, in the form that was asked for.'].join(
      '\n',
    ),
  };
}
