import {
  ProtocolError,
  ProtocolErrorCode,
  type CompleteResult,
  type GetPromptResult,
  type Prompt,
} from '@modelcontextprotocol/server';
import { AppError } from '../../errors/app-error.js';
import { complaintsOf } from '../../middleware/error.filter.js';
import type { McpCaller } from '../caller.js';
import type { ProtocolServer } from '../protocol-server.js';
import { TEMPLATES, type Address } from '../resources/address.js';
import { answering } from '../resources/reading.js';
import { readerOf } from '../resources/serve.js';
import type { FileReader } from '../resources/workspace.js';
import { daoIds, dialogIds, paths, proposalNumbers, runIds } from './completers.js';
import type { Asking, Completer, Given, McpPrompt, PromptParts } from './prompt.js';
import { PROMPTS } from './prompts.js';

/** Most values of one completion, as the protocol has it. */
const MOST_VALUES = 100;

/** What parts of addresses may be, by template. */
const PARTS: Readonly<Record<Address['kind'], Readonly<Record<string, Completer>>>> = {
  dao: { dao: daoIds },
  proposal: { dao: daoIds, n: proposalNumbers },
  dialog: { dao: daoIds, id: dialogIds },
  run: { dao: daoIds, run_id: runIds },
  file: { dao: daoIds, path: paths },
};

/** Serves prompts, and what their arguments and the parts of addresses may be. */
export function servePrompts(server: ProtocolServer, caller: McpCaller, parts: PromptParts): void {
  server.setRequestHandler('prompts/list', () => ({ prompts: PROMPTS.map(described) }));
  server.setRequestHandler('prompts/get', ({ params }, context) =>
    get(promptOf(params.name), params.arguments ?? {}, parts, readerOf(caller, context)),
  );
  server.setRequestHandler('completion/complete', async ({ params: { ref, argument, context: known } }, context) => {
    const completers = ref.type === 'ref/prompt' ? completersOf(promptOf(ref.name)) : partsOf(ref.uri);
    const complete = Object.hasOwn(completers, argument.name) ? completers[argument.name] : undefined;
    const dao = ref.type === 'ref/resource' ? known?.arguments?.dao : undefined;
    const values = complete ? await completed(complete, argument.value, parts, readerOf(caller, context), dao) : [];
    return shown(values);
  });
}

const described = ({ name, title, description, args }: McpPrompt): Prompt => ({
  ...{ name, title, description },
  arguments: Object.entries(args).map(([arg, { description: told, required }]) => ({
    ...{ name: arg, description: told, required },
  })),
});

function promptOf(name: string): McpPrompt {
  const prompt = PROMPTS.find((one) => one.name === name);
  if (!prompt) throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Prompt ${name} not found`);
  return prompt;
}

async function get(prompt: McpPrompt, given: Given, parts: PromptParts, reader: FileReader): Promise<GetPromptResult> {
  const args = fitting(prompt, given);
  return answering(async () => {
    const acting = await parts.access.require(reader.key, reader.actingIn(), 'chat.read');
    const { description, messages } = prompt;
    return { description, messages: await messages({ parts, reader, acting }, args) };
  });
}

/** Arguments as the prompt takes them: an empty field of a form is none. @throws ProtocolError */
function fitting({ name, args }: McpPrompt, given: Given): Given {
  const filled = Object.entries(given).filter(([, value]) => value !== undefined && value.trim() !== '');
  const kept = Object.fromEntries(filled);
  const unknown = Object.keys(given).filter((arg) => !Object.hasOwn(args, arg));
  const complaints = [
    ...unknown.map((arg) => `${arg}: is none of its arguments`),
    ...Object.entries(args).flatMap(([arg, { required, longest, form }]) => {
      const value = kept[arg];
      if (value === undefined) return required ? [`${arg}: is missing`] : [];
      if (value.length > longest) return [`${arg}: is longer than ${longest} characters`];
      return form && !form.pattern.test(value) ? [`${arg}: ${form.told}`] : [];
    }),
  ];
  if (complaints.length === 0) return kept;
  const message = `The arguments do not fit the prompt ${name}: ${complaintsOf(complaints)}.`;
  throw new ProtocolError(ProtocolErrorCode.InvalidParams, message);
}

const completersOf = ({ args }: McpPrompt): Readonly<Record<string, Completer | undefined>> =>
  Object.fromEntries(Object.entries(args).map(([name, { complete }]) => [name, complete]));

function partsOf(uri: string): Readonly<Record<string, Completer | undefined>> {
  const found = Object.entries(TEMPLATES).find(([, template]) => template === uri);
  if (!found) throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Resource template ${uri} not found`);
  return PARTS[found[0] as Address['kind']];
}

/** What fits so far. Where whoever asks may see nothing, nothing does. */
async function completed(
  complete: Completer,
  written: string,
  parts: PromptParts,
  reader: FileReader,
  daoId: string | undefined,
): Promise<string[]> {
  try {
    const acting = await parts.access.resolve(reader.key, reader.actingIn(daoId === undefined ? {} : { daoId }));
    const asking: Asking = { parts, reader, acting };
    return await complete(asking, written);
  } catch (error) {
    // Nobody waits for a completion: a client that is told of an error shows it for nothing.
    if (error instanceof AppError) return [];
    throw error;
  }
}

function shown(all: readonly string[]): CompleteResult {
  const values = all.slice(0, MOST_VALUES);
  return { completion: { values, total: all.length, hasMore: all.length > values.length } };
}
