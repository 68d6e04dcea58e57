import { inputRequired, inputResponse, type InputRequests } from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { Named } from '../services/access.service.js';
import type { ToolParts } from './parts.js';
import type { ToolCall } from './tool.js';

/** Under which name the form comes back. */
const KEY = 'inputs';

/** An input that a form can ask for. */
const Askable = z.object({
  type: z.enum(['string', 'integer', 'number', 'boolean']),
  description: z.string().optional(),
  enum: z.array(z.string()).optional(),
});
type Askable = z.output<typeof Askable>;

const InputsSchema = z.looseObject({
  properties: z.record(z.string(), z.unknown()).default({}),
  required: z.array(z.string()).default([]),
});

/** What the person in front of the client filled in. */
export function inputsIn({ context }: ToolCall): Record<string, unknown> {
  const response = inputResponse(context.mcpReq.inputResponses, KEY);
  return response.kind === 'elicit' && response.action === 'accept' ? { ...response.content } : {};
}

/**
 * A form for what a crew needs and was not given. Undefined: nothing is missing, or what is missing is no matter of a form,
 * or the person has been asked already; then the crew's own check has the word.
 */
export async function missingInputs(
  { crews, access }: ToolParts,
  call: ToolCall,
  { workflow, inputs, named }: { workflow: string; inputs: Record<string, unknown>; named: Named },
): Promise<InputRequests | undefined> {
  if (inputResponse(call.context.mcpReq.inputResponses, KEY).kind !== 'missing') return undefined;
  const acting = await access.resolve(call.caller.key, named);
  // What there is not, and what they may not run, is refused where it is begun.
  const crew = (await crews.open(acting)).find(({ definition }) => definition.id === workflow);
  if (!crew) return undefined;
  const { definition } = crew;
  const { properties, required } = InputsSchema.parse(definition.inputs);
  const missing = required.filter((name) => inputs[name] === undefined && name !== definition.subject);
  const fields = missing.map((name) => [name, Askable.safeParse(properties[name]).data] as const);
  if (fields.length === 0 || fields.some(([, field]) => field === undefined)) return undefined;
  const asked = Object.fromEntries(fields.map(([name, field]) => [name, fieldOf(field)]));
  const message = `${definition.name}: ${definition.description}`;
  return {
    [KEY]: inputRequired.elicit({ message, requestedSchema: { type: 'object', properties: asked, required: missing } }),
  };
}

function fieldOf(
  field: Askable | undefined,
): { type: 'string'; enum?: string[] } | { type: 'number' | 'integer' | 'boolean' } {
  const { type = 'string', description, enum: values } = field ?? {};
  const told = description === undefined ? {} : { description };
  return type === 'string' ? { type, ...told, ...(values && { enum: values }) } : { type, ...told };
}
