import type { z } from 'zod';
import { Complaints, RANKS, type Path } from './complaints.js';
import { IssueTeller } from './explain-issues.js';
import { locate, plain, type MapNode, type Node } from './nodes.js';
import { profileJsonSchema } from './profile-json-schema.js';
import { ProfileSchema, type Profile } from './profile-schema.js';
import { quoted } from './nearest.js';
import type { JsonSchema } from './schema-keys.js';
import { substitute } from './substitution.js';

/** Made for the first complaint, as it takes longer than loading a profile. */
let schema: JsonSchema | undefined;

/** Text that stands for a number, or for true or false, where one of them is expected. */
function asExpected(text: string, expected: string): number | boolean | undefined {
  if (expected === 'boolean') return text === 'true' ? true : text === 'false' ? false : undefined;
  return /^-?\d{1,15}(\.\d{1,15})?$/.test(text) ? Number(text) : undefined;
}

/** Turns variables into numbers and flags where the schema wants them. Returns whether any was. */
function coerce(root: Node, issues: readonly z.core.$ZodIssue[]): boolean {
  let any = false;
  for (const issue of issues) {
    if (issue.code !== 'invalid_type' || !['number', 'int', 'boolean'].includes(issue.expected)) continue;
    const { node } = locate(root, issue.path);
    if (node?.kind !== 'scalar' || node.whole !== true || typeof node.value !== 'string') continue;
    const value = asExpected(node.value, issue.expected);
    if (value === undefined) continue;
    node.value = value;
    any = true;
  }
  return any;
}

/** A profile with variables put in, validated, that still knows where each of its values was read. */
export class ProfileSource {
  readonly complaints = new Complaints();
  /** Things that an operator should know and that are no reason to refuse the profile. */
  readonly warnings = new Complaints();
  readonly profile: Profile;
  private readonly root: Node;

  /** @throws AppError `CONFIG_INVALID` that tells up to ten complaints */
  constructor(written: MapNode, variables: NodeJS.ProcessEnv) {
    this.root = substitute(written, variables, this.complaints);
    this.complaints.throwIfAny();
    this.profile = this.validate();
  }

  /** Adds a complaint about what a path leads to. */
  complain(path: Path, reason: string, rank: number = RANKS.value): void {
    this.complaints.add(locate(this.root, path).at, path, reason, rank);
  }

  /** Adds a warning about what a path leads to. */
  warn(path: Path, reason: string): void {
    this.warnings.add(locate(this.root, path).at, path, reason);
  }

  /** A name of the profile as it may be told: a variable is told by its name. */
  shown(path: Path, name: string): string {
    const { node } = locate(this.root, path);
    return node?.kind === 'scalar' && node.raw !== undefined ? `"${node.raw}"` : quoted(name);
  }

  /** Whether a value came from a variable. */
  isSubstituted(path: Path): boolean {
    const { node } = locate(this.root, path);
    return node?.kind === 'scalar' && node.raw !== undefined;
  }

  private validate(): Profile {
    let parsed = ProfileSchema.safeParse(plain(this.root));
    if (!parsed.success && coerce(this.root, parsed.error.issues)) parsed = ProfileSchema.safeParse(plain(this.root));
    if (parsed.success) return parsed.data;
    schema ??= profileJsonSchema();
    new IssueTeller(this.root, this.complaints, schema).tell(parsed.error.issues);
    this.complaints.throwIfAny();
    throw parsed.error;
  }
}
