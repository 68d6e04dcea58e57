/**
 * What the isolation walk fills into each route. A new route needs a line here; so do a new parameter of a query and a
 * new field of a body that names something: the walk fails until they have one.
 */

/** What belongs to one DAO, by what it is. */
export interface Things {
  dao: string;
  /** A member who is known nowhere else, by the id of a platform. */
  user: string;
  member: string;
  /** Another member, who is forgotten in the end. */
  leaving: string;
  request: string;
  key: string;
  /** A role that no other DAO has. */
  role: string;
  invitation: string;
  /** The secret of an invitation. */
  code: string;
  /** Number of a draft. */
  proposal: string;
  /** A crew of the DAO's own, and one that it does not have yet. */
  crew: string;
  newCrew: string;
  /** A run of a crew that asks whether it may go on. */
  run: string;
}

/** The kinds of them; each is a value that can stand in an address or in a body. */
export type Thing = keyof Things;

/** Things whose names every DAO gives for itself: with a key of one DAO, they are that one's. */
export const NAMED_BY_EACH: readonly Thing[] = ['role', 'proposal', 'newCrew'];

/** Who asks, where a body may name them. */
export interface Asker {
  /** The DAO whose key is used. */
  dao: string;
  /** An admin there. */
  admin: string;
}

type Bodies = (things: Things, asker: Asker) => object[];

export interface Filling {
  /** Parameters of the path. */
  path?: Readonly<Record<string, Thing>>;
  /** Values for parameters of this route's query, in place of those below. */
  query?: Readonly<Record<string, string>>;
  /** Bodies that name something of another DAO by themselves, or together with the path. */
  bodies?: Bodies;
  /** The same, of which only the platform may make use. */
  platformBodies?: Bodies;
  /**
   * Bodies that name nothing but an id of a platform, which is the same everywhere: they may be answered, and nothing of
   * the other DAO may be in the answer.
   */
  ownBodies?: Bodies;
  /** What the DAO's own admin adds to the query. */
  ownerQuery?: (things: Things) => Record<string, string>;
  /** The DAO's own people are refused too, with this outcome: because the thing is in a state that forbids it. */
  refusedToOwner?: string;
  /** When the DAO's own people come to it, the lower the sooner: 5, and 9 for a DELETE. */
  turn?: number;
}

const WHATIF_TABLE = {
  ...{ rules: [], answers: [], providers: {}, requestTimeoutMs: 1_000, weights: {}, hash: '0123456789abcdef' },
};
const ofDao = { path: { id: 'dao' } } as const;
const ofMember = { path: { id: 'dao', member: 'member' } } as const;
const ofProposal = { path: { n: 'proposal' } } as const;
/** A newcomer, whom nobody knows. */
const NEW = 'tg:newcomer';

const DAOS: Readonly<Record<string, Filling>> = {
  'GET /daos': {},
  'POST /daos': {
    platformBodies: ({ dao, user }) => [
      { id: dao, name: 'Planted', facts: { purpose: 'none' }, profile: { language: 'en' }, admin: user },
    ],
  },
  'GET /daos/:id': ofDao,
  'PATCH /daos/:id': {
    ...ofDao,
    bodies: () => [
      { name: 'Planted' },
      { facts: { purpose: 'planted' }, profile: { description: 'planted' } },
      { settings: { quorum: 0.5 } },
    ],
    platformBodies: () => [{ limits: { weight: 2 } }],
  },
  'GET /daos/:id/members': ofDao,
  'POST /daos/:id/members': {
    ...ofDao,
    bodies: ({ user, role }) => [
      { user_id: NEW, roles: [role], name: 'Planted' },
      { user_id: user, roles: ['member'] },
    ],
  },
  'DELETE /daos/:id/members': {
    ...ofDao,
    ownerQuery: ({ user }) => ({ user_id: `${user}-gone` }),
    bodies: ({ user }) => [{ user_id: `${user}-gone` }],
  },
  'GET /daos/:id/members/:member': ofMember,
  'PATCH /daos/:id/members/:member': { ...ofMember, bodies: () => [{ roles: ['member'] }, { name: 'Planted' }] },
  'DELETE /daos/:id/members/:member': ofMember,
  'POST /daos/:id/members/me/link': ofDao,
  'POST /daos/:id/members/me/forget': { ...ofDao, turn: 10 },
  'POST /daos/:id/members/:member/forget': { path: { id: 'dao', member: 'leaving' }, turn: 8 },
  'POST /daos/:id/members/:member/ids': { ...ofMember, bodies: () => [{ user_id: `${NEW}-id` }] },
  'DELETE /daos/:id/members/:member/ids/:user': { path: { id: 'dao', member: 'member', user: 'user' }, turn: 8 },
  'GET /daos/:id/invitations': ofDao,
  'POST /daos/:id/invitations': {
    ...ofDao,
    bodies: ({ role }) => [
      { roles: [role], uses: 2, expires_in_hours: 1 },
      { roles: ['member'], user_id: `${NEW}-invited` },
    ],
  },
  'DELETE /daos/:id/invitations/:invitation': { path: { id: 'dao', invitation: 'invitation' } },
  'POST /invitations/redeem': {
    bodies: ({ dao, code }) => [
      { secret: code, user_id: `${NEW}-joining` },
      { dao_id: dao, user_id: 'tg:invited' },
    ],
    ownBodies: ({ user }, { dao }) => [{ dao_id: dao, user_id: user }, { dao_id: dao }],
  },
};

const RIGHTS: Readonly<Record<string, Filling>> = {
  'GET /roles': {},
  'PUT /roles/:name': {
    path: { name: 'role' },
    bodies: () => [{ entitlements: ['chat.read'], confirm: '0123456789abcdef' }],
  },
  'DELETE /roles/:name': { path: { name: 'role' }, refusedToOwner: '409 ROLE_IN_USE' },
  'GET /rbac/resolve': {},
  'POST /rbac/resolve': {
    bodies: ({ dao, user }) => [{ dao_id: dao }, { dao_id: dao, user_id: user }],
    ownBodies: ({ user }, { dao }) => [{ user_id: user }, { dao_id: dao, user_id: user }],
  },
  'POST /microdao/query': {
    bodies: ({ dao, role }) => [
      { query_type: 'members', dao_id: dao, role, limit: 5, after: '' },
      { query_type: 'roles', dao_id: dao },
      { query_type: 'proposals', dao_id: dao, stage: 'draft' },
    ],
    ownBodies: (_things, { dao, admin }) =>
      ['members', 'roles', 'proposals'].flatMap((type) => [
        { query_type: type, dao_id: dao },
        { query_type: type, user_id: admin },
      ]),
  },
  'GET /keys': {},
  'POST /keys': {
    bodies: ({ dao, user }, { admin }) => [
      { name: 'planted', dao_id: dao },
      { name: 'planted', dao_id: dao, principal: user, scopes: ['chat.read'] },
      { name: 'planted', dao_id: dao, principal: admin },
    ],
    ownBodies: ({ user }, { dao }) => [{ name: 'planted', dao_id: dao, principal: user }],
  },
  'POST /keys/:id/rotate': { path: { id: 'key' }, bodies: () => [{ overlap_seconds: 60 }] },
  'DELETE /keys/:id': { path: { id: 'key' } },
};

const PROPOSALS: Readonly<Record<string, Filling>> = {
  'GET /proposals': {},
  'POST /proposals': {
    bodies: ({ dao, member, run }, { admin }) => [
      { dao_id: dao, title: 'Planted', text: 'planted', actions: [], open: true },
      { title: 'Planted', text: 'planted', review: run },
      { dao_id: dao, user_id: admin, title: 'Planted', text: 'planted' },
      { title: 'Planted', text: 'planted', actions: [{ type: 'grant_role', member, role: 'member' }] },
    ],
    ownBodies: (_things, { admin }) => [{ user_id: admin, title: 'Own', text: 'own' }],
    refusedToOwner: '400 REVIEW_INVALID',
  },
  'GET /proposals/:n': ofProposal,
  'PATCH /proposals/:n': {
    ...{ ...ofProposal, turn: 1, refusedToOwner: '400 REVIEW_INVALID' },
    bodies: ({ run }, { admin }) => [
      { title: 'Planted', user_id: admin },
      { text: 'planted', actions: [] },
      { review: run },
    ],
    ownBodies: (_things, { dao }) => [{ dao_id: dao, title: 'Own' }],
  },
  'POST /proposals/:n/open': {
    ...{ ...ofProposal, turn: 2 },
    bodies: ({ dao }, { admin }) => [{ dao_id: dao, user_id: admin }],
  },
  'PUT /proposals/:n/vote': {
    ...{ ...ofProposal, turn: 3 },
    bodies: ({ dao }, { admin }) => [{ dao_id: dao, user_id: admin, choice: 'yes', ballot_id: 'planted' }],
  },
  'POST /proposals/:n/withdraw': {
    ...{ ...ofProposal, turn: 4, refusedToOwner: '409 PROPOSAL_STAGE' },
    bodies: ({ dao }, { admin }) => [{ dao_id: dao, user_id: admin }],
  },
  'POST /proposals/:n/veto': {
    ...{ ...ofProposal, turn: 4, refusedToOwner: '409 PROPOSAL_STAGE' },
    bodies: ({ dao }, { admin }) => [{ dao_id: dao, user_id: admin, reason: 'planted' }],
  },
  'GET /proposals/:n/votes': ofProposal,
  'GET /proposals/:n/tally': ofProposal,
  'GET /proposals/:n/voters': ofProposal,
  'GET /delegations': {},
  'PUT /delegations': {
    bodies: ({ dao, member }, { admin }) => [
      { dao_id: dao, to: member },
      { dao_id: dao, user_id: admin, to: member },
      { to: member },
    ],
  },
  'DELETE /delegations': { turn: 7 },
};

const REQUESTS: Readonly<Record<string, Filling>> = {
  'POST /route': {
    bodies: ({ dao, user }, { admin }) => [
      { prompt: 'Hello', mode: 'chat', metadata: { dao_id: dao } },
      { prompt: 'Hello', metadata: { dao_id: dao, user_id: user, session_id: 'shared', source: 'telegram' } },
      { prompt: 'Hello', metadata: { dao_id: dao, user_id: admin } },
      { message: 'Hello', payload: { dao_id: dao }, agent: 'any' },
      { message: 'Hello', dao_id: dao, user_id: admin, session_id: 'shared', source: 'telegram' },
      { mode: 'devtools', metadata: { dao_id: dao, user_id: admin, tool: 'fs_read', params: { path: FILE } } },
    ],
    ownBodies: ({ user }, { dao, admin }) => [
      { prompt: 'Hello', metadata: { user_id: user } },
      { prompt: 'Hello', metadata: { dao_id: dao, user_id: admin, session_id: 'shared' } },
      { prompt: 'Who are we?', metadata: { user_id: admin, session_id: 'shared' } },
      { mode: 'devtools', metadata: { user_id: admin, tool: 'fs_read', params: { path: FILE } } },
    ],
  },
  'GET /requests/:id': { path: { id: 'request' } },
  'GET /requests/:id/events': { path: { id: 'request' } },
  'DELETE /requests/:id': { path: { id: 'request' }, refusedToOwner: '409 REQUEST_ENDED' },
  // A dialog has the id of its first request.
  'GET /dialogs': {},
  'GET /dialogs/:id': { path: { id: 'request' } },
};

const SAID = { role: 'user', content: 'Hello' };
/** Parameters of a call to a model; null is as if they were not there. */
const nulls = (...names: string[]): object => Object.fromEntries(names.map((name) => [name, null]));
const SAMPLING = nulls(
  ...['max_tokens', 'temperature', 'top_p', 'stop', 'n', 'seed', 'presence_penalty', 'frequency_penalty'],
  ...['logit_bias', 'logprobs', 'stream', 'stream_options', 'metadata', 'safety_identifier'],
);
const CHATTING = {
  ...SAMPLING,
  ...nulls('max_completion_tokens', 'top_logprobs', 'tools', 'tool_choice', 'parallel_tool_calls', 'functions'),
  ...nulls('function_call', 'response_format', 'reasoning_effort', 'modalities', 'audio', 'web_search_options'),
};
/** What clients of OpenAI say of a user is no name of anybody here. */
const OPENAI: Readonly<Record<string, Filling>> = {
  'POST /v1/chat/completions': {
    bodies: ({ dao, user }) => [
      { model: 'dagi-stack', messages: [SAID], metadata: { dao_id: dao } },
      { model: 'dagi-stack', messages: [SAID], metadata: { dao_id: dao, user_id: user }, user },
    ],
    ownBodies: ({ user }, { dao, admin }) => [
      { ...CHATTING, model: 'dagi-stack', messages: [SAID], user },
      { model: 'dagi-stack', messages: [SAID], metadata: { dao_id: dao, user_id: user, session_id: 'shared' } },
      { model: 'dagi-stack', messages: [{ ...SAID, content: 'Who are we?' }], safety_identifier: user, user: admin },
    ],
  },
  'POST /v1/completions': {
    bodies: ({ dao, user }) => [{ model: 'dagi-stack', prompt: 'Hello', user, metadata: { dao_id: dao } }],
    ownBodies: ({ user }) => [
      { ...SAMPLING, ...nulls('suffix', 'echo', 'best_of'), model: 'dagi-stack', prompt: 'Hello', user },
    ],
  },
  'POST /v1/embeddings': {
    bodies: ({ dao, user }) => [
      {
        ...nulls('encoding_format', 'dimensions', 'safety_identifier'),
        model: 'dagi-stack',
        input: 'Hello',
        user,
        metadata: { dao_id: dao },
      },
    ],
    refusedToOwner: '400 unsupported_parameter',
  },
  'GET /v1/models': {},
  'GET /v1/models/:model': { path: { model: 'role' }, refusedToOwner: '404 model_not_found' },
  'GET /v1/models/:kind/:model': {
    path: { kind: 'role', model: 'role' },
    refusedToOwner: '404 model_not_found',
  },
};

/**
 * A tool: in the other DAO, as an admin of both; and at home, where the same names lead to one's own files.
 * @param params what is asked; the first is what the DAO's own people are let in with
 */
const aTool = (params: [object, ...object[]], more: Pick<Filling, 'refusedToOwner'> = {}): Filling => ({
  ...more,
  bodies: ({ dao }, { admin }) =>
    params.flatMap((one) => [
      { dao_id: dao, ...one },
      { dao_id: dao, user_id: admin, ...one },
    ]),
  ownBodies: ({ dao, user }, asker) => [
    ...params.map((one, index) => (index === 0 ? one : { dao_id: asker.dao, user_id: asker.admin, ...one })),
    { user_id: user, ...params[0] },
    ...(['path', 'other_path'] as const).map((name) => ({ ...params[0], [name]: `../${dao}/${FILE}` })),
  ],
});

/** A file that each DAO has, with other words in it. */
export const FILE = 'notes.txt';
const HASH = '0'.repeat(64);
const refused = (outcome: string) => ({ refusedToOwner: outcome });

/** Files are nowhere in the database: the walk looks at the folders as well. */
const DEVTOOLS: Readonly<Record<string, Filling>> = {
  'POST /devtools/fs_read': aTool([{ path: FILE }, { path: FILE, from_line: 1, lines: 2 }]),
  'POST /devtools/fs_write': aTool(
    [
      { path: 'planted.txt', content: 'planted', encoding: 'utf8' },
      { path: FILE, content: 'planted', expected_hash: HASH },
    ],
    refused('409 FILE_CHANGED'),
  ),
  'POST /devtools/fs_list': aTool(
    [{ path: '.' }, { depth: 20, glob: '**', limit: 100 }, { cursor: FILE }],
    refused('422 TOOL_FAILED'),
  ),
  'POST /devtools/fs_search': aTool([
    { pattern: 'secret' },
    { pattern: 'SECRET', regex: true, case_sensitive: false, path: '.', glob: '*', context: 2, limit: 50 },
  ]),
  'POST /devtools/fs_diff': aTool([
    { path: FILE, content: 'planted', context: 1 },
    { path: FILE, other_path: 'other.txt' },
  ]),
  'POST /devtools/fs_patch': aTool(
    [{ patch: `--- a/${FILE}\n+++ b/${FILE}\n@@ -1,1 +1,1 @@\n-nobody wrote this\n+planted\n`, expected_hashes: {} }],
    refused('422 PATCH_REJECTED'),
  ),
  'POST /devtools/run_tests': aTool([{ path: '.', framework: 'node', filter: 'secret', timeout_s: 60 }]),
  'POST /devtools/git_status': aTool([{ path: '.' }]),
  'POST /devtools/git_diff': aTool([
    { path: '.', staged: true, context: 2 },
    { from: 'HEAD', to: 'HEAD' },
  ]),
  'POST /devtools/git_log': aTool([{ path: '.', from: 'HEAD', limit: 5 }]),
  // The notebook that is none comes as far as the sandbox, which is all that this is about.
  'POST /devtools/notebook_execute': aTool(
    [{ path: FILE, timeout_s: 60 }, { notebook: {} }],
    refused('422 TOOL_FAILED'),
  ),
};

/** A crew whose runs ask whether they may go on before they have asked a model. */
export const A_CREW = {
  ...{ name: 'Planting', description: 'Plants.', process: 'sequential', text_input: 'topic', budget: { tokens: 1 } },
  inputs: { type: 'object', properties: { topic: { type: 'string' } }, required: ['topic'] },
  agents: { planter: { role: 'Planter', goal: 'Plant.' } },
  tasks: {
    plant: {
      ...{ agent: 'planter', instruction: 'Plant it.', uses: ['inputs.topic'] },
      output: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] },
    },
  },
  result: { text: 'plant.text' },
};

/** A decision: in the other DAO's run as an admin of both, and with what nobody has made. */
const aDecision = (turn: number, more: Pick<Filling, 'refusedToOwner'> = {}): Filling => ({
  ...{ path: { run: 'run' }, turn, ...more },
  bodies: (_things, { admin }) => [
    { gate: 'limit.tokens.0', revision: 1, comment: 'planted', output: { text: 'planted' }, user_id: admin },
  ],
});

/** The first that is decided ends the run. */
const CREWS: Readonly<Record<string, Filling>> = {
  'GET /crews': {},
  'GET /crews/:id': { path: { id: 'crew' } },
  'PUT /crews/:id': { path: { id: 'newCrew' }, bodies: () => [A_CREW] },
  'DELETE /crews/:id': { path: { id: 'crew' } },
  // What does not fit the crew: nobody waits for a run of it.
  'POST /crews/:id/runs': {
    path: { id: 'crew' },
    bodies: ({ dao, user }, { admin }) => [
      { dao_id: dao, text: 'planted', inputs: { strange: 'planted' } },
      { dao_id: dao, user_id: admin, inputs: { strange: 'planted' } },
      { user_id: user, inputs: { strange: 'planted' } },
    ],
    refusedToOwner: '400 CREW_INPUTS_INVALID',
  },
  'POST /crews/runs/:run/rerun': {
    path: { run: 'run' },
    bodies: (_things, { admin }) => [{ user_id: admin, from: 'plant', inputs: { strange: 'planted' } }],
    refusedToOwner: '400 CREW_INPUTS_INVALID',
  },
  'GET /crews/runs': {},
  'GET /crews/gates': {},
  'GET /crews/runs/:run': { path: { run: 'run' } },
  'GET /crews/runs/:run/compare': { path: { run: 'run' }, ownerQuery: ({ run }) => ({ with: run }) },
  'POST /crews/runs/:run/approve': aDecision(1, refused('422 DECISION_INVALID')),
  'POST /crews/runs/:run/reject': aDecision(1, refused('422 DECISION_INVALID')),
  'POST /crews/runs/:run/return': aDecision(1, refused('422 DECISION_INVALID')),
  'POST /crews/runs/:run/answer': aDecision(1, refused('422 DECISION_INVALID')),
  'POST /crews/runs/:run/stop': aDecision(2),
  'POST /crews/runs/:run/continue': aDecision(3, refused('409 GATE_CLOSED')),
  'POST /crews/runs/:run/cancel': { path: { run: 'run' }, refusedToOwner: '409 REQUEST_ENDED' },
};

const OPERATIONS: Readonly<Record<string, Filling>> = {
  'GET /health': {},
  'GET /ready': {},
  'GET /audit': { query: { after: '0' } },
  'GET /audit/heads': { query: { after: '2026-01-01' } },
  'POST /audit/heads': {},
  'GET /audit/key': {},
  'GET /config': {},
  'POST /config/reload': {},
  'POST /config/apply': { platformBodies: () => [{ confirm: '0123456789abcdef' }] },
  'GET /providers': {},
  'GET /routing': {},
  'GET /routing/explain': {},
  'GET /usage': {},
  'POST /routing/whatif': {
    platformBodies: () => [{ table: WHATIF_TABLE, since: '2026-01-01T00:00:00Z', limit: 9, trials: 1 }],
  },
  'POST /routing/whatif/trials': { platformBodies: ({ request }) => [{ request_id: request, provider: 'fake' }] },
};

/** By method and path, as the router has them. HEAD is as GET. */
export const FILLINGS: Readonly<Record<string, Filling>> = {
  ...DAOS,
  ...RIGHTS,
  ...PROPOSALS,
  ...REQUESTS,
  ...DEVTOOLS,
  ...CREWS,
  ...OPENAI,
  ...OPERATIONS,
};

/** What a parameter of a query is filled with: something of the other DAO, or a value that names nothing. */
export const QUERY: Readonly<Record<string, Thing | { value: string }>> = {
  dao_id: 'dao',
  user_id: 'user',
  actor: 'user',
  role: 'role',
  after: { value: '' },
  limit: { value: '5' },
  action: { value: 'member.add' },
  stage: { value: 'draft' },
  revisions: { value: 'all' },
  prompt: { value: 'Hello' },
  mode: { value: 'chat' },
  agent: { value: 'any' },
  source: { value: 'telegram' },
  since: { value: '2026-01-01T00:00:00Z' },
  until: { value: '2999-01-01T00:00:00Z' },
  metadata: { value: '{}' },
  from: { value: '2026-01-01' },
  to: { value: '2026-12-31' },
  by: { value: 'day' },
  with: 'run',
  crew: 'crew',
  state: { value: 'running' },
};
