import { z } from 'zod';
import type { ResponseFormat, ToolChoice, ToolDefinition } from '../contracts/chat.js';
import { jsonObject, maybe, present, refuse, words } from './openai-common.js';

/** Most tools of a call, and the longest name of one. */
const [MOST_TOOLS, LONGEST_NAME] = [128, 128];

const toolName = words.pipe(z.string().min(1).max(LONGEST_NAME));

const definition = z
  .looseObject({
    name: toolName,
    description: maybe(words),
    parameters: maybe(jsonObject),
    strict: maybe(z.boolean()),
  })
  .transform(({ name, ...rest }): ToolDefinition => ({
    name,
    ...present({ description: rest.description, parameters: rest.parameters, strict: rest.strict }),
  }));

const ONLY_FUNCTIONS = 'tools of the type function can be given, and no others';
const tools = z.array(z.looseObject({ type: z.literal('function', ONLY_FUNCTIONS), function: definition }));
const functions = z.array(definition);

const NAMED = z.looseObject({ type: z.literal('function'), function: z.looseObject({ name: toolName }) });
const CHOICE = 'tool_choice is none, auto, required, or {"type": "function", "function": {"name": …}}';
const toolChoice = z.union([z.enum(['none', 'auto', 'required']), NAMED], { error: CHOICE });
const functionCall = z.union([z.enum(['none', 'auto']), z.looseObject({ name: toolName })], {
  error: 'function_call is none, auto, or {"name": …}',
});

/** Tools, and functions, as they were called before. */
export const toolFields = {
  tools: maybe(tools.max(MOST_TOOLS)),
  tool_choice: maybe(toolChoice),
  parallel_tool_calls: maybe(z.boolean()),
  functions: maybe(functions.max(MOST_TOOLS)),
  function_call: maybe(functionCall),
};

interface ToolBody {
  tools: z.output<typeof tools> | undefined;
  tool_choice: z.output<typeof toolChoice> | undefined;
  parallel_tool_calls: boolean | undefined;
  functions: ToolDefinition[] | undefined;
  function_call: z.output<typeof functionCall> | undefined;
}

/** What a call says of tools. */
export interface Tooling {
  tools?: ToolDefinition[];
  toolChoice?: ToolChoice;
  parallelToolCalls?: boolean;
  /** The client calls them functions, and is told of them under that name. */
  functions?: true;
}

/** Whether a client speaks of functions, and wants to be answered so. */
export const speaksOfFunctions = ({ tools: given, functions: old }: ToolBody): boolean =>
  (given ?? []).length === 0 && (old ?? []).length > 0;

/** What a client chose among its tools, and in which field it says so. */
interface Chosen {
  field: string;
  given: ToolDefinition[];
  /** A tool by its name, or a word. */
  choice: ToolChoice | undefined;
}

function chosenIn(body: ToolBody): Chosen {
  if (!speaksOfFunctions(body)) {
    const given = (body.tools ?? []).map((one) => one.function);
    return { field: 'tool_choice', given, choice: choiceOf(body.tool_choice) };
  }
  return { field: 'function_call', given: body.functions ?? [], choice: choiceOf(body.function_call) };
}

function choiceOf(choice: ToolBody['tool_choice'] | ToolBody['function_call']): ToolChoice | undefined {
  if (typeof choice !== 'object') return choice;
  return { name: 'function' in choice ? (choice as z.output<typeof NAMED>).function.name : choice.name };
}

/** What is wrong with a choice. */
function wrongWith({ given, choice }: Chosen): string | undefined {
  const named = typeof choice === 'object' ? choice.name : undefined;
  if (given.length === 0) {
    return named !== undefined || choice === 'required' ? 'there are no tools to choose from' : undefined;
  }
  const unknown = named !== undefined && !given.some(({ name }) => name === named);
  return unknown ? 'names a tool that is not given' : undefined;
}

/** Tools in one form, and how the model is to choose. Without any, nothing is said of them. */
export function toolingOf(body: ToolBody, context: Parameters<typeof refuse>[0]): Tooling {
  const chosen = chosenIn(body);
  const wrong = wrongWith(chosen);
  if (wrong !== undefined) refuse(context, [chosen.field], wrong, 'invalid_value');
  const { given, choice } = chosen;
  if (given.length === 0) return {};
  // A client that speaks of functions is told of the first call alone, so that there may be more of them.
  if (speaksOfFunctions(body)) return { tools: given, functions: true, ...present({ toolChoice: choice }) };
  return { tools: given, ...present({ toolChoice: choice, parallelToolCalls: body.parallel_tool_calls }) };
}

const formatName = /^[\w-]{1,64}$/;
const FORMATS = 'response_format is of the type text, json_object or json_schema';

/** How an answer is to be written. */
export const responseFormat = z
  .discriminatedUnion(
    'type',
    [
      z.looseObject({ type: z.literal('text') }),
      z.looseObject({ type: z.literal('json_object') }),
      z.looseObject({ type: z.literal('json_schema'), json_schema: jsonObject }),
    ],
    { error: FORMATS },
  )
  .transform((format, context): ResponseFormat | undefined => {
    if (format.type === 'text') return undefined;
    if (format.type === 'json_object') return { type: 'json_object' };
    return schemaIn(format.json_schema, context);
  });

const wrapped = z
  .object({
    name: maybe(z.string().regex(formatName, 'a name has 1 to 64 letters, digits, _ or -')),
    schema: z.record(z.string(), z.unknown()),
    description: maybe(z.string()),
    strict: maybe(z.boolean()),
  })
  .transform(({ name = 'answer', schema, ...rest }) => ({ name, schema, ...present(rest) }));

/** Dify sends what its user pasted: OpenAI's wrapping around a JSON Schema, or the schema alone. */
function schemaIn(given: Record<string, unknown>, context: Parameters<typeof refuse>[0]): ResponseFormat | undefined {
  if (isBare(given)) {
    const { title } = given;
    const name = typeof title === 'string' && formatName.test(title) ? title : 'answer';
    return { type: 'json_schema', name, schema: given };
  }
  const read = wrapped.safeParse(given);
  if (read.success) return { type: 'json_schema', ...read.data };
  for (const { path, message } of read.error.issues) {
    refuse(context, ['json_schema', ...path.map(String)], message, 'invalid_value');
  }
  return undefined;
}

/** Whether it is a schema itself. A wrapping has a schema in it, or at least a name, which is no word of schemas. */
const isBare = (given: Record<string, unknown>): boolean =>
  given.schema === undefined && (typeof given.name !== 'string' || 'type' in given || '$ref' in given);
