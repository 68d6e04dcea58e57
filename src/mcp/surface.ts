import {
  ProtocolError,
  ProtocolErrorCode,
  type Implementation,
  type McpRequestContext,
  type Tool,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import { AppError } from '../errors/app-error.js';
import { complaintsOf } from '../middleware/error.filter.js';
import { errorAnswer } from './answers.js';
import type { McpCaller } from './caller.js';
import { SERVER_NAME, SERVER_TITLE, TASKS_EXTENSION } from './names.js';
import type { ToolParts } from './parts.js';
import { servePrompts } from './prompts/serve.js';
import { ProtocolServer } from './protocol-server.js';
import { serveResources } from './resources/serve.js';
import { serveTasks } from './tasks.js';
import type { McpTool, ToolOutcome } from './tool.js';

/** What the server offers, and what it is made of. */
export interface McpOffer {
  tools: readonly McpTool[];
  parts: ToolParts;
  version: string;
  /** Told of what went wrong beside an answer. */
  onError: (error: Error) => void;
}

const INSTRUCTIONS = [
  'The AI back end of small DAOs. Whoever asks has roles in a DAO, which say what they may do.',
  'router_call asks a question; workflow_run has a crew of agents do a job (review a proposal or code, take in a new member, break a task down); devtools_task works in the DAO’s files; microdao_query lists roles, members and proposals.',
  'Work that takes longer than 45 seconds goes on by itself: call the same again to wait for it, or crew_status. What a run asks of people only they decide: ask your user.',
].join('\n');

/** Makes the server of one call, or of one connection, for its caller. */
export function mcpServer(
  { tools, parts, version, onError }: McpOffer,
  caller: McpCaller,
  { era }: Pick<McpRequestContext, 'era'>,
): ProtocolServer {
  const info: Implementation = { name: SERVER_NAME, title: SERVER_TITLE, version };
  const server = new ProtocolServer(info, {
    instructions: INSTRUCTIONS,
    capabilities: {
      ...{ tools: {}, prompts: {}, completions: {}, resources: { ...(era === 'modern' && { subscribe: true }) } },
      ...(era === 'modern' && { extensions: { [TASKS_EXTENSION]: {} } }),
    },
    requestState: { verify: (state, context) => parts.states.verify(state, context) },
  });
  server.onerror = onError;
  server.setRequestHandler('tools/list', () => ({ tools: tools.map(described) }));
  server.setRequestHandler('tools/call', async ({ params }, context) => {
    const tool = tools.find(({ name }) => name === params.name);
    if (!tool) throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Tool ${params.name} not found`);
    const given = params.arguments ?? {};
    const outcome = await callTool(tool, given, { caller, era, context, name: tool.name, given });
    return outcome;
  });
  serveResources(server, caller, parts.reading);
  servePrompts(server, caller, parts.reading);
  if (era === 'modern') serveTasks(server, caller, parts);
  return server;
}

async function callTool(tool: McpTool, given: unknown, call: Parameters<McpTool['call']>[1]): Promise<ToolOutcome> {
  // What joins nothing would only be done once more.
  if (call.caller.givesUp && tool.joins !== true) return errorAnswer(new AppError('REQUEST_CANCELLED'));
  const parsed = tool.input.safeParse(given);
  if (!parsed.success) return errorAnswer(badArguments(tool, parsed.error));
  try {
    return await tool.call(parsed.data, call);
  } catch (error) {
    if (error instanceof ProtocolError) throw error;
    return errorAnswer(error);
  }
}

/** Bad arguments are told to the model, which can mend them. */
function badArguments({ name }: McpTool, { issues }: z.ZodError): AppError {
  const complaints = issues.map(({ path, message }) => `${path.join('.') || 'arguments'}: ${message}`);
  return new AppError('BODY_INVALID', `The arguments do not fit ${name}: ${complaintsOf(complaints)}.`);
}

/** JSON Schemas of tools, made once. */
const schemas = new WeakMap<z.ZodType, Record<string, unknown>>();

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Record<string, unknown> {
  const known = schemas.get(schema);
  if (known) return known;
  const made = z.toJSONSchema(schema, {
    ...{ io, unrepresentable: 'any' },
    // OpenAPI's word for one example; strict readers of JSON Schema know another.
    override: ({ jsonSchema }) => {
      if (!('example' in jsonSchema)) return;
      jsonSchema.examples = [jsonSchema.example];
      delete jsonSchema.example;
    },
  }) as Record<string, unknown>;
  schemas.set(schema, made);
  return made;
}

function described({ name, title, description, annotations, input, output }: McpTool): Tool {
  return {
    ...{ name, title, description, annotations },
    inputSchema: { ...schemaOf(input, 'input'), type: 'object' },
    outputSchema: { ...schemaOf(output, 'output'), type: 'object' },
  };
}
