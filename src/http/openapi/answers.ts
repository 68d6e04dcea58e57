import { z } from 'zod';
import { ENTITLEMENTS } from '../../contracts/access.js';
import { CHOICES, STAGES } from '../../contracts/proposal.js';
import { MODES, REQUEST_STATUSES } from '../../contracts/request.js';
import { DialogSchema, DialogSummarySchema } from '../../schemas/dialog-records.js';
import { CREW_ANSWERS } from './crew-answers.js';
import { TOOL_ANSWERS } from './devtools-answers.js';
import { OPERATORS } from './operator-answers.js';

/** What the product answers, for the description alone: the services make answers of the types in the contracts. */

const moment = z.string().meta({ format: 'date-time' });
const ok = z.literal(true);
const next = z.string().nullable().describe('Send it as after to get the next part; null: this was the last one.');
const version = z.string().describe('Send it as If-Match, so that nothing is changed that you have not seen.');
const names = z.array(z.string());

const attempt = z.object({
  provider: z.string(),
  status: z.enum(['ok', 'failed', 'skipped']),
  ms: z.number(),
  error: z.string().optional(),
});
const usage = z.object({
  prompt_tokens: z.number(),
  completion_tokens: z.number(),
  total_tokens: z.number(),
  estimated: z.boolean().optional(),
  cost_usd: z.number().optional(),
});
const error = z.object({
  code: z.string().describe('One of the codes in docs/errors.md, such as RBAC_PERMISSION_DENIED.'),
  message: z.string().describe('A sentence that says what to do.'),
});

const request = z.object({
  ok: z.boolean().describe('False when the request ended without an answer; error says why.'),
  request_id: z.string().describe('Id of the request, for GET /requests/{id}.'),
  workflow_id: z.string(),
  status: z.enum(REQUEST_STATUSES).describe('accepted and running go on; completed, failed and cancelled are final.'),
  mode: z.enum(MODES),
  rule: z.string().describe('The rule of the profile that took the request.'),
  rbac: z.object({ roles: names, entitlements: names }),
  attempts: z.array(attempt),
  timings_ms: z.record(z.string(), z.number()),
  provider: z.string().nullable().optional(),
  data: z
    .looseObject({
      text: z.string().optional().describe('The answer of a chat.'),
      finish_reason: z.string().optional(),
    })
    .describe('Of a chat the answer; of mode devtools what the tool gave.')
    .nullable()
    .optional(),
  usage: usage.nullable().optional(),
  origin: z
    .object({ step: z.enum(['provider', 'cache', 'database', 'tool']), age_ms: z.number().optional() })
    .nullable()
    .optional(),
  error: error.optional(),
});

const member = z.object({
  id: z.string(),
  name: z.string().nullable(),
  roles: names,
  user_ids: names.optional().describe('Ids by which platforms know the person; for those who may invite.'),
  version,
  created_at: moment,
});
const dao = z.object({
  id: z.string(),
  name: z.string(),
  facts: z.record(z.string(), z.string()),
  profile: z.object({ description: z.string().optional(), language: z.string().optional() }),
  settings: z.looseObject({}),
  limits: z.looseObject({}),
  version,
  created_at: moment,
});
const role = z.object({
  name: z.string(),
  entitlements: names,
  version,
  holders: z.number().optional().describe('How many members have it; for those who may see members.'),
});
const invitation = z.object({
  id: z.string(),
  user_id: z.string().nullable(),
  roles: names,
  uses_left: z.number(),
  expires_at: moment,
  created_by: z.string(),
  created_at: moment,
});
const key = z.object({
  id: z.string(),
  name: z.string(),
  dao_id: z.string().nullable(),
  principal: z.string(),
  gateway: z.boolean(),
  owner: z.string(),
  scopes: z.array(z.enum(ENTITLEMENTS)).nullable(),
  expires_at: moment.nullable(),
  replaces: z.string().nullable(),
  issuer: z.string().nullable().describe('Not null: no key, but a bearer of access tokens of this issuer.'),
  created_at: moment,
  last_used_at: moment.nullable(),
  revoked_at: moment.nullable(),
});

const tally = z.object({
  total: z.number(),
  participated: z.number(),
  voters: z.number(),
  ballots: z.number(),
  yes: z.number().optional(),
  no: z.number().optional(),
  abstain: z.number().optional(),
  quorum_met: z.boolean(),
  threshold_met: z.boolean().optional(),
  sealed: z.boolean().optional(),
  final: z.boolean().optional(),
});
const summary = z.object({
  n: z.number().describe('Number of the proposal in its DAO.'),
  author: z.string(),
  title: z.string(),
  stage: z.enum(STAGES),
  rules: z.looseObject({}).nullable().describe('How it is decided; null before the opening.'),
  created_at: moment,
  opened_at: moment.nullable(),
  closes_at: moment.nullable(),
  closed_at: moment.nullable(),
  execute_at: moment.nullable(),
  ended_at: moment.nullable(),
  result: tally.nullable(),
  failure: z.looseObject({}).nullable(),
  veto_reason: z.string().nullable(),
  version,
});
const review = z.object({
  run_id: z.string(),
  version: z.string(),
  at: moment,
  current: z.boolean().describe('Whether it is of what the proposal says now.'),
  result: z.looseObject({}),
});
const proposal = summary.extend({
  text: z.string(),
  actions: z.array(z.looseObject({ type: z.string() })),
  review: review.nullable().describe('What the crew proposal_review said of it.'),
});
const ballot = z.object({
  voter: z.string(),
  revision: z.number(),
  choice: z.enum(CHOICES).optional(),
  salt: z.string().nullable().optional(),
  commitment: z.string().nullable(),
  cast_at: moment,
});
const delegation = z.object({ from: z.string(), to: z.string(), since: moment });
const elector = z.object({ member: z.string(), weight: z.number(), delegate: z.string().nullable() });

/** Every answer, under the name that it has in the description. */
export const ANSWERS = {
  Error: z.object({ ok: z.literal(false), request_id: z.string(), error }),
  Request: request,
  Dao: dao.extend({ ok }),
  DaoPage: z.object({ ok, daos: z.array(dao), next }),
  Member: member.extend({ ok }),
  MemberPage: z.object({ ok, members: z.array(member), next }),
  Joined: z.object({ ok, dao_id: z.string(), member }),
  Id: z.object({ ok, id: z.string() }),
  Name: z.object({ ok, name: z.string() }),
  LinkCode: z.object({ ok, code: z.string(), expires_at: moment }),
  Forgotten: z.object({ ok, id: z.string(), requests: z.number().describe('How many requests were emptied.') }),
  Invitation: invitation.extend({ ok, secret: z.string().optional().describe('Shown this once.') }),
  InvitationPage: z.object({ ok, invitations: z.array(invitation), next }),
  NewKey: key.extend({ ok, key: z.string().describe('The key; shown this once.') }),
  KeyPage: z.object({ ok, keys: z.array(key), next }),
  Role: role.extend({ ok }),
  RolePage: z.object({ ok, roles: z.array(role), next }),
  Rights: z.looseObject({
    ok,
    dao_id: z.string(),
    user_id: z.string(),
    member: z.string().nullable(),
    roles: names,
    entitlements: names,
  }),
  MicrodaoAnswer: z.object({
    ok,
    dao_id: z.string(),
    query_type: z.enum(['roles', 'members', 'proposals']),
    roles: z.array(role).optional(),
    members: z.array(z.object({ id: z.string(), name: z.string().nullable(), roles: names })).optional(),
    proposals: z.array(summary).optional(),
    next,
  }),
  Proposal: proposal.extend({ ok }),
  ProposalPage: z.object({ ok, proposals: z.array(summary), next }),
  Ballot: ballot.extend({ ok }),
  BallotPage: z.object({ ok, votes: z.array(ballot), next }),
  Tally: z.object({ ok, tally: tally.nullable() }),
  ElectorPage: z.object({ ok, voters: z.array(elector), next }),
  Delegation: delegation.extend({ ok }),
  DelegationPage: z.object({ ok, delegations: z.array(delegation), next, mine: delegation.nullable() }),
  Dialog: DialogSchema.extend({ ok, next }),
  DialogPage: z.object({ ok, dialogs: z.array(DialogSummarySchema), next }),
  Done: z.object({ ok }),
  ...CREW_ANSWERS,
  ...TOOL_ANSWERS,
  ...OPERATORS,
};

/** Name of an answer in the description. */
export type AnswerName = keyof typeof ANSWERS;
