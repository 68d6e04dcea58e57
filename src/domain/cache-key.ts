import type { Decision, ProviderStep } from '../contracts/request.js';

/** Everything that a kept answer depends on. */
export interface CacheFacts {
  daoId: string;
  daoName: string;
  daoFacts: Readonly<Record<string, string>>;
  decision: Pick<Decision, 'roles' | 'entitlements' | 'rule' | 'configHash'> & {
    /** The providers that may be asked, in their order: whoever asks may have chosen one. */
    chain: readonly Pick<ProviderStep, 'provider'>[];
  };
  prompt: string;
}

/** A question without what changes nothing about it. */
const plain = (question: string): string => question.trim().replaceAll(/\s+/gu, ' ');

/**
 * One text for all who would get the same answer, and another one for everybody else: the DAO with all that is told to
 * the model about it, roles and rights, configuration, rule and providers, and the question. Hashed, it is the key of the answer.
 */
export function cacheKeyText({ daoId, daoName, daoFacts, decision, prompt }: CacheFacts): string {
  const facts = Object.entries(daoFacts).toSorted(([one], [other]) => compare(one, other));
  const roles = [...new Set(decision.roles)].toSorted(compare);
  const entitlements = [...new Set(decision.entitlements)].toSorted(compare);
  return JSON.stringify([
    daoId,
    daoName,
    facts,
    roles,
    entitlements,
    decision.configHash,
    decision.rule,
    decision.chain.map(({ provider }) => provider),
    plain(prompt),
  ]);
}

/** The order of UTF-16 units: the same on every machine. */
const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);
