import { Body, Controller, Get, Headers, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { GateDecision } from '../contracts/crew.js';
import type { RunSummary, SeenGate, SeenRun } from '../contracts/crew-view.js';
import type { CrewRequest, RouteSubmission } from '../contracts/request.js';
import { keyOf } from '../middleware/context.js';
import { ActingQuerySchema, ActorQuerySchema, type ActingQuery, type ActorQuery } from '../schemas/common.js';
import {
  CompareQuerySchema,
  CrewIdSchema,
  DecideSchema,
  RerunSchema,
  RunIdSchema,
  RunsQuerySchema,
  StartRunSchema,
  type CompareQuery,
  type DecideBody,
  type RerunBody,
  type RunsQuery,
  type StartRunBody,
} from '../schemas/crews.js';
import { CrewRunsService } from '../services/crew-runs.service.js';
import { RequestsService } from '../services/requests.service.js';
import { Access } from '../middleware/access.js';
import { actingIn } from './acting.js';
import { CREW_REFUSALS } from './openapi/crew-refusals.js';
import { Operation } from './openapi/operation.js';
import { RoutedCalls } from './routed-calls.js';

const STARTS = [
  ...CREW_REFUSALS,
  'REQUEST_CANCELLED',
  'IDEMPOTENCY_CONFLICT',
  'RATE_LIMITED',
  'BUDGET_EXHAUSTED',
  'TEMPORAL_UNAVAILABLE',
  'SHUTTING_DOWN',
] as const;

const DECIDES = [
  'RUN_NOT_FOUND',
  'GATE_NOT_FOUND',
  'GATE_CLOSED',
  'GATE_CHANGED',
  'DECISION_MADE',
  'DECISION_INVALID',
] as const;

type Shown = { ok: true } & SeenRun;

/** Runs of crews: started, seen, decided, begun again. */
@ApiTags('crews')
@Controller('crews')
export class CrewRunsController {
  constructor(
    private readonly runs: CrewRunsService,
    private readonly calls: RoutedCalls,
    private readonly requests: RequestsService,
  ) {}

  @Post(':id/runs')
  @HttpCode(200)
  @Access('by-mode')
  @Operation({
    id: 'startCrew',
    summary: 'Start a run of a crew',
    description:
      'What takes longer than 25 seconds, or waits for a person, comes as 202 with a request_id, which is the run’s id: call getCrewRun with it.',
    headers: ['Idempotency-Key', 'Prefer'],
    body: StartRunSchema,
    answers: { 200: 'Request', 202: 'Request' },
    refuses: ['DAO_REQUIRED', ...STARTS],
  })
  async start(
    @Param('id', { schema: CrewIdSchema }) id: string,
    @Query({ schema: ActingQuerySchema }) query: ActingQuery,
    @Body({ schema: StartRunSchema }) body: StartRunBody,
    @Headers('prefer') prefer: string | undefined,
    @Headers('idempotency-key') idempotencyKey: string | undefined,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { inputs, text = '' } = body;
    const { daoId, userId } = actingIn(query, body);
    const submission = submissionOf({ id, inputs }, { daoId, userId, prompt: text });
    await this.submit(submission, { request, reply, prefer, idempotencyKey });
  }

  @Post('runs/:run/rerun')
  @HttpCode(200)
  @Access('owner')
  @Operation({
    id: 'rerunCrew',
    summary: 'Run again from a task, with changed inputs, or from what failed',
    description:
      'A new run, which takes over the outputs that nothing has changed for. Without from only what has no output is done.',
    headers: ['Idempotency-Key', 'Prefer'],
    body: RerunSchema,
    answers: { 200: 'Request', 202: 'Request' },
    refuses: ['RUN_NOT_FOUND', 'DECISION_INVALID', ...STARTS],
  })
  async rerun(
    @Param('run', { schema: RunIdSchema }) runId: string,
    @Query({ schema: ActorQuerySchema }) query: ActorQuery,
    @Body({ schema: RerunSchema }) body: RerunBody,
    @Headers('prefer') prefer: string | undefined,
    @Headers('idempotency-key') idempotencyKey: string | undefined,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { inputs, from } = body;
    const { userId } = actingIn(query, body);
    const earlier = await this.runs.get(keyOf(request), runId, { userId });
    const base = { runId, ...(from !== undefined && { from }) };
    const submission = submissionOf({ id: earlier.crew, inputs, base }, { daoId: earlier.dao_id, userId, prompt: '' });
    await this.submit(submission, { request, reply, prefer, idempotencyKey });
  }

  @Get('runs')
  @Access('chat.read')
  @Operation({
    id: 'listCrewRuns',
    summary: 'Runs of crews, the newest first: one’s own, or all for admins',
    answers: { 200: 'CrewRunPage' },
    refuses: ['DAO_REQUIRED'],
  })
  async list(
    @Query({ schema: RunsQuerySchema }) query: RunsQuery,
    @Req() request: FastifyRequest,
  ): Promise<{ ok: true; runs: RunSummary[]; next: string | null }> {
    const { items: runs, next } = await this.runs.list(keyOf(request), actingIn(query), query);
    return { ok: true, runs, next };
  }

  @Get('gates')
  @Access('chat.read')
  @Operation({
    id: 'listCrewGates',
    summary: 'What runs of crews ask of whoever asks',
    answers: { 200: 'CrewGates' },
    refuses: ['DAO_REQUIRED'],
  })
  async asked(
    @Query({ schema: ActingQuerySchema }) query: ActingQuery,
    @Req() request: FastifyRequest,
  ): Promise<{ ok: true; gates: SeenGate[] }> {
    return { ok: true, gates: await this.runs.asked(keyOf(request), actingIn(query)) };
  }

  @Get('runs/:run')
  @Access('owner')
  @Operation({
    id: 'getCrewRun',
    summary: 'A run, with its tasks, every step, and what it asks of people',
    answers: { 200: 'CrewRun' },
    refuses: ['RUN_NOT_FOUND'],
  })
  async get(
    @Param('run', { schema: RunIdSchema }) runId: string,
    @Query({ schema: ActorQuerySchema }) { user_id: userId }: ActorQuery,
    @Req() request: FastifyRequest,
  ): Promise<Shown> {
    return { ok: true, ...(await this.runs.get(keyOf(request), runId, { userId })) };
  }

  @Get('runs/:run/compare')
  @Access('owner')
  @Operation({
    id: 'compareCrewRuns',
    summary: 'Two runs, task by task',
    answers: { 200: 'CrewComparison' },
    refuses: ['RUN_NOT_FOUND'],
  })
  async compare(
    @Param('run', { schema: RunIdSchema }) runId: string,
    @Query({ schema: CompareQuerySchema }) { with: other, user_id: userId }: CompareQuery,
    @Req() request: FastifyRequest,
  ): Promise<{ ok: true; tasks: Awaited<ReturnType<CrewRunsService['compare']>> }> {
    return { ok: true, tasks: await this.runs.compare(keyOf(request), runId, other, { userId }) };
  }

  @Post('runs/:run/cancel')
  @HttpCode(200)
  @Access('owner')
  @Operation({
    id: 'cancelCrewRun',
    summary: 'Stop a run for real, with every step of it',
    answers: { 200: 'CrewRun' },
    refuses: ['RUN_NOT_FOUND', 'REQUEST_ENDED', 'REQUEST_NOT_FOUND'],
  })
  async cancel(
    @Param('run', { schema: RunIdSchema }) runId: string,
    @Query({ schema: ActorQuerySchema }) { user_id: userId }: ActorQuery,
    @Req() request: FastifyRequest,
  ): Promise<Shown> {
    // Other requests are cancelled elsewhere.
    await this.runs.get(keyOf(request), runId, { userId });
    await this.requests.cancel(keyOf(request), runId, { userId });
    return { ok: true, ...(await this.runs.get(keyOf(request), runId, { userId })) };
  }

  /** Decides something of a run: declared once for each way to decide, below. */
  async decide(
    decision: GateDecision['decision'],
    runId: string,
    query: ActorQuery,
    body: DecideBody,
    request: FastifyRequest,
  ): Promise<Shown> {
    const { output, comment, gate, revision } = body;
    const { userId } = actingIn(query, body);
    const made = {
      ...{ decision, gate, revision },
      ...(comment !== undefined && { comment }),
      ...(output && { output }),
    };
    return { ok: true, ...(await this.runs.decide(keyOf(request), runId, made, { userId })) };
  }

  private async submit(
    body: RouteSubmission,
    call: Pick<Parameters<RoutedCalls['submit']>[0], 'request' | 'reply' | 'prefer' | 'idempotencyKey'>,
  ): Promise<void> {
    const whole = { ...call, body, route: 'crews' };
    void call.reply.send(await this.calls.await(whole, await this.calls.submit(whole)));
  }
}

function submissionOf(
  crew: CrewRequest,
  { daoId, userId, prompt }: Pick<RouteSubmission, 'daoId' | 'userId' | 'prompt'>,
): RouteSubmission {
  const about = { agent: undefined, sessionId: undefined, source: undefined, metadata: { workflow: crew.id } };
  return { ...about, prompt, mode: 'crew', daoId, userId, crew };
}

const DECISIONS: Readonly<Record<GateDecision['decision'], { summary: string; description: string }>> = {
  approve: {
    summary: 'Approve what a run made',
    description: 'With output it is approved as you changed it; who approved before must then do so again.',
  },
  reject: { summary: 'Reject what a run made', description: 'One who rejects is enough.' },
  return: { summary: 'Send back what a run made', description: 'The comment says what is to be done better.' },
  answer: { summary: 'Answer a question of an agent', description: 'The comment is the answer.' },
  continue: { summary: 'Let a run go on that reached a limit', description: 'It may use as much again.' },
  stop: { summary: 'Stop a run that reached a limit', description: 'What it bought stays to be seen.' },
};

for (const decision of Object.keys(DECISIONS) as GateDecision['decision'][]) addDecision(decision);

/** A route for each way to decide: they differ in a word. */
function addDecision(decision: GateDecision['decision']): void {
  const { prototype } = CrewRunsController;
  const name = `${decision}Run`;
  const value = function decide(
    this: CrewRunsController,
    ...args: [runId: string, query: ActorQuery, body: DecideBody, request: FastifyRequest]
  ): Promise<Shown> {
    return prototype.decide.call(this, decision, ...args);
  };
  const route = { value, configurable: true, enumerable: false, writable: true };
  Object.defineProperty(prototype, name, route);
  const operation = Operation({
    ...DECISIONS[decision],
    id: `${decision}CrewRun`,
    body: DecideSchema,
    answers: { 200: 'CrewRun' },
    refuses: [...DECIDES],
  });
  for (const decorate of [Post(`runs/:run/${decision}`), HttpCode(200), Access('owner'), operation]) {
    decorate(prototype, name, route);
  }
  const parameters = [
    ...[Param('run', { schema: RunIdSchema }), Query({ schema: ActorQuerySchema })],
    ...[Body({ schema: DecideSchema }), Req()],
  ];
  parameters.forEach((decorate, at) => {
    decorate(prototype, name, at);
  });
}
