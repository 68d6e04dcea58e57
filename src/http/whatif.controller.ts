import { Body, Controller, HttpCode, Post, Query, Req } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { requestFields } from '../contracts/log-fields.js';
import type { WhatIfReport } from '../contracts/whatif.js';
import { contextOf, keyOf } from '../middleware/context.js';
import { NoQuerySchema } from '../schemas/common.js';
import { TrialSchema, WhatIfOutlineSchema, WhatIfSchema, type TrialBody, type WhatIfBody } from '../schemas/config.js';
import { DrainService } from '../services/drain.service.js';
import { WhatIfService, type TrialOffer } from '../services/whatif.service.js';
import { Access } from '../middleware/access.js';
import { Operation } from './openapi/operation.js';

/** What another profile would change. */
@ApiTags('configuration')
@Controller('routing/whatif')
export class WhatIfController {
  constructor(
    private readonly whatIf: WhatIfService,
    private readonly drain: DrainService,
  ) {}

  @Post()
  @HttpCode(200)
  @Access('platform.admin')
  @Operation({
    id: 'whatIf',
    summary: 'Decide recorded requests by another table, and compare',
    body: WhatIfOutlineSchema,
    answers: { 200: 'WhatIf' },
    refuses: ['SHUTTING_DOWN'],
  })
  async run(
    @Body({ schema: WhatIfSchema }) body: WhatIfBody,
    @Query({ schema: NoQuerySchema }) _query: object,
    @Req() request: FastifyRequest,
  ): Promise<{ ok: true } & WhatIfReport & { trials: TrialOffer[] }> {
    const { table, since, limit, trials } = body;
    return { ok: true, ...(await this.whatIf.run(keyOf(request), { table, since, limit, trials })) };
  }

  @Post('trials')
  @HttpCode(202)
  @Access('platform.admin')
  @Operation({
    id: 'tryRequest',
    summary: 'Ask a recorded request again, of one provider',
    body: TrialSchema,
    answers: { 202: 'Trial' },
    refuses: ['REQUEST_NOT_FOUND', 'SHUTTING_DOWN', 'TEMPORAL_UNAVAILABLE'],
  })
  async trial(
    @Body({ schema: TrialSchema }) body: TrialBody,
    @Query({ schema: NoQuerySchema }) _query: object,
    @Req() request: FastifyRequest,
  ): Promise<{ ok: true; request_id: string }> {
    this.drain.refuseWhenStopping();
    const submission = { requestId: request.id, receivedAt: contextOf(request).receivedAt };
    const accepted = await this.whatIf.trial(keyOf(request), body.request_id, body.provider, submission);
    Object.assign(contextOf(request).fields, requestFields(accepted));
    return { ok: true, request_id: accepted.requestId };
  }
}
