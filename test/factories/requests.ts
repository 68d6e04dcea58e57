import { randomUUID } from 'node:crypto';
import type { AccessFacts } from '../../src/contracts/access.js';
import type { Decision, ProviderStep } from '../../src/contracts/request.js';
import type { Answer, Claim, Ending, NewRequest, RequestRecord } from '../../src/adapters/store/requests.repository.js';

const STEP: ProviderStep = {
  provider: 'fake',
  shape: 'eager',
  queue: 'orchestrator',
  timeoutMs: 30_000,
  queueTimeoutMs: 5_000,
  maxTokens: 128,
  maxAttempts: 2,
  retryDelayMs: 1_000,
};

export const aDecision = (changes: Partial<Decision> = {}): Decision => ({
  mode: 'chat',
  rule: 'chat',
  chain: [STEP],
  roles: ['member'],
  entitlements: ['chat.read', 'chat.write'],
  deadlineMs: 60_000,
  configHash: '0123456789abcdef',
  ...changes,
});

/** A member of the DAO, as far as decisions depend on it. */
export const someAccess = (changes: Partial<AccessFacts> = {}): AccessFacts => ({
  dao: { id: 'greenfood-dao', name: 'GreenFood DAO' },
  roles: [{ name: 'member', entitlements: ['chat.read', 'chat.write'] }],
  platformAdmin: false,
  ...changes,
});

/** A chat of `tg:12345`, received just now. */
export const aRequest = (changes: Partial<NewRequest> = {}): NewRequest => ({
  id: randomUUID(),
  daoId: 'greenfood-dao',
  actor: 'tg:12345',
  keyId: 'key-1',
  source: undefined,
  mode: 'chat',
  agent: undefined,
  sessionId: undefined,
  prompt: 'What is the DAO about?',
  metadata: {},
  access: someAccess(),
  decision: aDecision(),
  timings: { gateway: 1, rbac: 2 },
  receivedAt: new Date(),
  deadlineAt: new Date(Date.now() + 60_000),
  idempotency: undefined,
  ...changes,
});

/** How the first provider is asked. */
export const aClaim = (changes: Partial<Claim> = {}): Claim => ({
  provider: 'fake',
  attempts: [],
  historyBytes: 4_000,
  ...changes,
});

/** The answer of a request's first run. */
export const anAnswer = (changes: Partial<Answer> = {}): Answer => ({
  text: 'It brings food from farms to kitchens.',
  finishReason: 'stop',
  provider: 'fake',
  origin: { step: 'provider' },
  usage: { prompt_tokens: 12, completion_tokens: 8, total_tokens: 20 },
  attempts: [{ provider: 'fake', status: 'ok', ms: 40 }],
  timings: { gateway: 1, rbac: 2, queue: 3, llm: 40, total: 46 },
  generation: 1,
  ...changes,
});

export const anEnding = (changes: Partial<Ending> = {}): Ending => ({
  status: 'failed',
  error: { code: 'PROVIDER_FAILED', message: 'No model could answer; see attempts.' },
  attempts: [{ provider: 'fake', status: 'failed', ms: 5, error: 'ProviderUnavailable' }],
  timings: { total: 9 },
  ...changes,
});

/** A request `r1` as it is recorded while it runs. */
export const aRecord = (changes: Partial<RequestRecord> = {}): RequestRecord => ({
  id: 'r1',
  daoId: 'greenfood-dao',
  actor: 'tg:12345',
  mode: 'chat',
  decision: aDecision({ chain: [], entitlements: ['chat.write'] }),
  status: 'running',
  provider: null,
  usage: null,
  attempts: [],
  timings: { gateway: 1, rbac: 2 },
  error: null,
  generation: 1,
  bodyHash: null,
  receivedAt: new Date(),
  deadlineAt: new Date(Date.now() + 60_000),
  answer: null,
  finishReason: null,
  origin: null,
  model: null,
  parts: null,
  result: null,
  runId: null,
  ...changes,
});
