import { z } from 'zod';
import type { CREW_TOOLS } from '../src/contracts/crew.js';
import { WRITING_TOOLS } from '../src/contracts/devtools.js';
import { TOOL_PARAMS } from '../src/schemas/devtools.js';
import type { Path } from './complaints.js';
import type { Complain } from './crew-data-check.js';
import { reference } from './crew-names.js';
import { followReference, isList, type Reach } from './crew-references.js';
import type { CrewTask } from './crew-schema.js';
import { hint, quoted } from './nearest.js';

type Gather = CrewTask['gather'][number];

/** Parameters of what crews can ask for beside the tools of a workspace. */
const CREW_PARAMS = {
  dao_facts: z.strictObject({}),
  dao_roles: z.strictObject({}),
  dao_proposals: z.strictObject({ n: z.number().int().min(1).exactOptional() }),
  ask_member: z.strictObject({}),
} satisfies Record<(typeof CREW_TOOLS)[number], z.ZodObject>;

const From = z.strictObject({ from: reference });

/** Parameters that a tool has, each with what it may be. */
function paramsOf(tool: Gather['tool']): Record<string, z.core.$ZodType> {
  const isCrewTool = (name: string): name is (typeof CREW_TOOLS)[number] => Object.hasOwn(CREW_PARAMS, name);
  const schema: z.ZodObject = isCrewTool(tool) ? CREW_PARAMS[tool] : TOOL_PARAMS[tool];
  return schema.shape;
}

const isOptional = (schema: z.core.$ZodType): boolean => schema._zod.optin === 'optional';

/** Looks at what is gathered for a task: tools that change nothing, with parameters that they have. */
export class GatherCheck {
  private readonly before: string[] = [];

  constructor(
    private readonly all: readonly Gather[],
    private readonly reach: Reach,
    private readonly complain: Complain,
  ) {}

  run(path: Path): void {
    this.all.forEach((gather, index) => {
      this.one(gather, [...path, index]);
      this.oneOf(gather, [...path, index]);
      this.before.push(gather.as);
    });
  }

  private oneOf({ one_of: name, optional }: Gather, path: Path): void {
    if (name === undefined) return;
    if (optional) this.complain([...path, 'optional'], 'has no effect with `one_of`');
    const names = this.all.flatMap(({ one_of: other }) => other ?? []);
    const others = names.filter((other) => other !== name);
    if (names.length - others.length > 1) return;
    this.complain([...path, 'one_of'], `nothing else is ${quoted(name)}${hint(name, others)}`);
  }

  private one(gather: Gather, path: Path): void {
    const { as, tool, each } = gather;
    if (this.before.includes(as)) this.complain([...path, 'as'], 'something else is gathered by this name');
    const refusal = this.refusalOf(tool);
    if (refusal !== undefined) {
      this.complain([...path, 'tool'], refusal);
      return;
    }
    const reach = { ...this.reach, gathered: this.before };
    if (each !== undefined) this.each(each, reach, [...path, 'each']);
    this.params(gather, { ...reach, item: each !== undefined }, [...path, 'params']);
  }

  private refusalOf(tool: string): string | undefined {
    if ((WRITING_TOOLS as readonly string[]).includes(tool))
      return 'it writes, and only tools that change nothing can gather';
    return tool === 'ask_member' ? 'nobody is asked before the agent begins: let the agent ask' : undefined;
  }

  private each(each: string, reach: Reach, path: Path): void {
    const found = followReference(each, reach);
    if (typeof found === 'string') this.complain(path, found);
    else if (!isList(found)) this.complain(path, 'leads to no list');
  }

  private params({ tool, params }: Gather, reach: Reach, path: Path): void {
    const known = paramsOf(tool);
    for (const [name, value] of Object.entries(params)) {
      const schema = Object.hasOwn(known, name) ? known[name] : undefined;
      if (schema) this.param(value, schema, reach, [...path, name]);
      else this.complain([...path, name], `${tool} has no such parameter${hint(name, Object.keys(known))}`);
    }
    for (const [name, schema] of Object.entries(known)) {
      if (!Object.hasOwn(params, name) && !isOptional(schema))
        this.complain(path, `missing: \`${name}\`, which ${tool} needs`);
    }
  }

  private param(value: unknown, schema: z.core.$ZodType, reach: Reach, path: Path): void {
    if (typeof value === 'object' && value !== null && 'from' in value) {
      const from = From.safeParse(value);
      const found = from.success ? followReference(from.data.from, reach) : 'expected `from` alone, with a reference';
      if (typeof found === 'string') this.complain([...path, 'from'], found);
      return;
    }
    const parsed = z.safeParse(schema, value);
    const [issue] = parsed.error?.issues ?? [];
    if (issue) this.complain([...path, ...issue.path], `does not fit: ${issue.message}`);
  }
}
