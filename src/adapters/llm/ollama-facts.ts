import { z } from 'zod';
import type { Capability } from '../../contracts/chat.js';

/** What `POST /api/show` tells of a model. */
export interface ShownModel {
  contextLength?: number;
  capabilities?: readonly Capability[];
  /** Whether it can be told how long to think, beside whether. */
  levels: boolean;
}

const Shown = z.object({
  capabilities: z.array(z.string()).nullish().catch(undefined),
  model_info: z.record(z.string(), z.unknown()).nullish().catch(undefined),
});

/** Ollama's words for what we know. A model that answers can be held to a schema by its host. */
const MEANINGS: Readonly<Record<string, readonly Capability[]>> = {
  completion: ['completion', 'json_schema'],
  tools: ['tools'],
  vision: ['vision'],
  thinking: ['thinking'],
  embedding: ['embeddings'],
};

const meaningOf = (word: string): readonly Capability[] =>
  Object.hasOwn(MEANINGS, word) ? (MEANINGS[word] ?? []) : [];

/** The field is called after the architecture, as in `qwen3.context_length`. */
function contextIn(info: Record<string, unknown>): number | undefined {
  const [, value] = Object.entries(info).find(([key]) => key.endsWith('.context_length')) ?? [];
  return typeof value === 'number' && value > 0 ? value : undefined;
}

/** Reads the answer to `POST /api/show`; older hosts tell less. */
export function readShown(raw: unknown): ShownModel {
  const { capabilities, model_info } = Shown.parse(raw);
  const known = (capabilities ?? []).flatMap(meaningOf);
  const contextLength = contextIn(model_info ?? {});
  const architecture = model_info?.['general.architecture'];
  return {
    ...(contextLength !== undefined && { contextLength }),
    ...(known.length > 0 && { capabilities: known }),
    levels: typeof architecture === 'string' && /^gpt-?oss/i.test(architecture),
  };
}

/** What models can do as a rule, where a host does not tell. */
export const usualAtOllama = (model: string | null): readonly Capability[] =>
  model !== null && /embed/i.test(model) ? ['embeddings'] : ['completion', 'tools', 'json_schema'];
