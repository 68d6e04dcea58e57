import { aCaller } from './access.js';
import type { Entitlement } from '../../src/contracts/access.js';
import type { Acting } from '../../src/services/access.service.js';
import type { RequestRecord } from '../../src/adapters/store/requests.repository.js';

/** How a provider of tests may be asked. */
export const policy = {
  shape: 'eager' as const,
  queue: 'orchestrator',
  timeoutMs: 30_000,
  queueTimeoutMs: 5_000,
  maxTokens: 128,
  maxAttempts: 2,
  retryDelayMs: 1_000,
};

/** A member of the seeded DAO who acts. */
export const acting = (part: Partial<Acting> = {}, entitlements: Entitlement[] = ['chat.write']): Acting => ({
  actor: 'tg:12345',
  daoId: 'greenfood-dao',
  key: aCaller(),
  facts: {
    dao: { id: 'greenfood-dao', name: 'GreenFood DAO' },
    roles: [{ name: 'member', entitlements }],
    platformAdmin: false,
  },
  rights: { roles: ['member'], entitlements },
  ...part,
});

/** A chat that was accepted and not begun. */
export const record = (part: Partial<RequestRecord> = {}): RequestRecord => ({
  id: 'r1',
  daoId: 'greenfood-dao',
  actor: 'tg:12345',
  mode: 'chat',
  decision: {
    mode: 'chat',
    rule: 'chat',
    chain: [{ provider: 'fake', ...policy }],
    roles: ['member'],
    entitlements: ['chat.write'],
    deadlineMs: 60_000,
    configHash: 'h',
  },
  status: 'accepted',
  provider: null,
  usage: null,
  attempts: [],
  timings: { gateway: 1 },
  error: null,
  generation: 0,
  bodyHash: null,
  receivedAt: new Date(0),
  deadlineAt: new Date(60_000),
  answer: null,
  finishReason: null,
  origin: null,
  model: null,
  parts: null,
  result: null,
  runId: null,
  ...part,
});
