import type {
  CallToolResult,
  InputRequiredResult,
  ProtocolEra,
  ServerContext,
  ToolAnnotations,
} from '@modelcontextprotocol/server';
import type { z } from 'zod';
import type { Entitlement } from '../contracts/access.js';
import type { McpCaller } from './caller.js';

/** Who may begin work may stop their own, whichever kind it is. */
export const TO_STOP: readonly Entitlement[] = ['agent.crew', 'chat.write', 'agent.devtools'];

/** One call of a tool. */
export interface ToolCall {
  caller: McpCaller;
  era: ProtocolEra;
  context: ServerContext;
  /** The tool's name, and its arguments as they came: what makes two calls the same. */
  name: string;
  given: unknown;
}

/** A result; what is asked of people first; or, as a result too, the task as which the call goes on. */
export type ToolOutcome = CallToolResult | InputRequiredResult;

/** A tool as clients see it, and what it does. */
export interface McpTool {
  name: string;
  title: string;
  description: string;
  annotations: ToolAnnotations;
  input: z.ZodType;
  output: z.ZodType;
  /** Whether the same call again joins what it began, so that it can be given up, too. */
  joins?: boolean;
  /**
   * What a call takes at least, by its arguments, of several one: what a token is asked for before anything runs.
   */
  needs: (args: unknown) => Entitlement | readonly Entitlement[];
  /** @throws AppError where it is refused, or fails */
  call: (args: unknown, call: ToolCall) => Promise<ToolOutcome>;
}

interface ToolOf<Input extends z.ZodType> extends Omit<McpTool, 'input' | 'needs' | 'call'> {
  input: Input;
  needs: (args: z.output<Input>) => Entitlement | readonly Entitlement[];
  call: (args: z.output<Input>, call: ToolCall) => Promise<ToolOutcome>;
}

/** A tool whose code knows the type of its arguments. What calls it has parsed them with `input`. */
export const defineTool = <Input extends z.ZodType>({ needs, call, ...tool }: ToolOf<Input>): McpTool => ({
  ...tool,
  needs: (args) => needs(args as z.output<Input>),
  call: (args, made) => call(args as z.output<Input>, made),
});
