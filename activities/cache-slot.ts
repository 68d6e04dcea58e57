import { createHash } from 'node:crypto';
import type { CacheSlot } from '../src/adapters/store/answer-cache.repository.js';
import type { AskedQuestion } from '../src/adapters/store/requests.repository.js';
import { cacheKeyText } from '../src/domain/cache-key.js';

/** Where the answer to a question is kept for others who would get the same. */
export function cacheSlot({ record, prompt, daoName, daoFacts }: AskedQuestion): CacheSlot {
  const { daoId, decision } = record;
  const text = cacheKeyText({ daoId, daoName, daoFacts, decision, prompt });
  return { daoId, rule: decision.rule, key: createHash('sha256').update(text).digest('hex') };
}
