import { Body, Controller, Delete, Get, HttpCode, Param, Put, Query, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Role } from '../contracts/dao.js';
import { keyOf } from '../middleware/context.js';
import { ActingQuerySchema, type ActingQuery } from '../schemas/common.js';
import {
  PutRoleSchema,
  RoleNameSchema,
  RolesQuerySchema,
  type PutRoleBody,
  type RolesQuery,
} from '../schemas/roles.js';
import { RolesService } from '../services/roles.service.js';
import { Access } from '../middleware/access.js';
import { expectedVersions, tellVersion } from './etag.js';
import { Operation } from './openapi/operation.js';

const CREATED = 201;

/** Roles of a DAO. */
@ApiTags('access')
@Controller('roles')
export class RolesController {
  constructor(private readonly roles: RolesService) {}

  @Get()
  @Access('chat.read')
  @Operation({
    id: 'listRoles',
    summary: 'Roles of a DAO, what they give, and how many have them',
    answers: { 200: 'RolePage' },
    refuses: ['DAO_REQUIRED'],
  })
  async list(
    @Query({ schema: RolesQuerySchema }) query: RolesQuery,
    @Req() request: FastifyRequest,
  ): Promise<{ ok: true; roles: Role[]; next: string | null }> {
    const { dao_id: daoId, user_id: userId, after, limit } = query;
    const { items: roles, next } = await this.roles.list(keyOf(request), { daoId, userId }, { after, limit });
    return { ok: true, roles, next };
  }

  @Put(':name')
  @Access('config.update')
  @Operation({
    id: 'putRole',
    summary: 'Create a role, or change what one gives; If-Match is honoured',
    body: PutRoleSchema,
    answers: { 200: 'Role', 201: 'Role' },
    refuses: ['DAO_REQUIRED', 'ROLE_CHANGE_HELD', 'LAST_ADMIN'],
    ifMatch: true,
  })
  async put(
    @Param('name', { schema: RoleNameSchema }) name: string,
    @Query({ schema: ActingQuerySchema }) { dao_id: daoId, user_id: userId }: ActingQuery,
    @Body({ schema: PutRoleSchema }) body: PutRoleBody,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<{ ok: true } & Role> {
    const where = { daoId, userId, expected: expectedVersions(request) };
    const { role, created } = await this.roles.put(keyOf(request), name, body, where);
    if (created) void reply.status(CREATED);
    tellVersion(reply, role.version);
    return { ok: true, ...role };
  }

  @Delete(':name')
  @HttpCode(200)
  @Access('config.update')
  @Operation({
    id: 'deleteRole',
    summary: 'Delete a role that nobody has; If-Match is honoured',
    answers: { 200: 'Name' },
    refuses: ['DAO_REQUIRED', 'ROLE_NOT_FOUND', 'ROLE_IN_USE', 'LAST_ADMIN'],
    ifMatch: true,
  })
  async delete(
    @Param('name', { schema: RoleNameSchema }) name: string,
    @Query({ schema: ActingQuerySchema }) { dao_id: daoId, user_id: userId }: ActingQuery,
    @Req() request: FastifyRequest,
  ): Promise<{ ok: true; name: string }> {
    await this.roles.delete(keyOf(request), name, { daoId, userId, expected: expectedVersions(request) });
    return { ok: true, name };
  }
}
