import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../errors/app-error.js';
import { keyOf } from '../middleware/context.js';
import { NoQuerySchema } from '../schemas/common.js';
import { DaoIdSchema } from '../schemas/daos.js';
import {
  MemberChangesSchema,
  MemberRefSchema,
  MembersQuerySchema,
  NewMemberSchema,
  UserBodySchema,
  UserQuerySchema,
  type MemberChangesBody,
  type MembersQuery,
  type NewMemberBody,
  type UserBody,
  type UserQuery,
} from '../schemas/members.js';
import { MembersService, type SeenMember } from '../services/members.service.js';
import { Access } from '../middleware/access.js';
import { expectedVersions, tellVersion } from './etag.js';
import { Operation } from './openapi/operation.js';

type Answer = { ok: true } & SeenMember;

/** Members of a DAO: listed, added, changed, removed. `user_id` is the object here; whoever the key stands for acts. */
@ApiTags('members')
@Controller('daos/:id/members')
export class MembersController {
  constructor(private readonly members: MembersService) {}

  @Get()
  @Access('chat.write')
  @Operation({
    id: 'listMembers',
    summary: 'Members, with their ids for those who may invite',
    answers: { 200: 'MemberPage' },
    refuses: ['DAO_NOT_FOUND'],
  })
  async list(
    @Param('id', { schema: DaoIdSchema }) id: string,
    @Query({ schema: MembersQuerySchema }) query: MembersQuery,
    @Req() request: FastifyRequest,
  ): Promise<{ ok: true; members: SeenMember[]; next: string | null }> {
    const { user_id: userId, ...rest } = query;
    const { items, next } = await this.members.list(keyOf(request), id, { userId, ...rest });
    return { ok: true, members: items, next };
  }

  @Post()
  @Access('member.invite')
  @Operation({
    id: 'addMember',
    summary: 'Make a user a member, with roles that the caller has',
    body: NewMemberSchema,
    answers: { 200: 'Member', 201: 'Member' },
    refuses: ['DAO_NOT_FOUND', 'ROLE_NOT_FOUND', 'MEMBER_EXISTS'],
  })
  async add(
    @Param('id', { schema: DaoIdSchema }) id: string,
    @Body({ schema: NewMemberSchema }) body: NewMemberBody,
    @Query({ schema: NoQuerySchema }) _query: object,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Answer> {
    const { user_id: userId, ...rest } = body;
    const { member, added } = await this.members.add(keyOf(request), id, { userId, ...rest });
    void reply.status(added ? 201 : 200);
    return shown(reply, member);
  }

  @Delete()
  @HttpCode(200)
  @Access('member.remove')
  @Operation({
    id: 'removeUser',
    summary: 'Remove the member that is known by an id, in the query or the body',
    answers: { 200: 'Id' },
    refuses: ['BODY_INVALID', 'DAO_NOT_FOUND', 'MEMBER_NOT_FOUND', 'LAST_ADMIN'],
    ifMatch: true,
  })
  async removeUser(
    @Param('id', { schema: DaoIdSchema }) id: string,
    @Query({ schema: UserQuerySchema }) query: UserQuery,
    @Body({ schema: UserBodySchema }) body: UserBody,
    @Req() request: FastifyRequest,
  ): Promise<{ ok: true; id: string }> {
    const who = { userId: userNamed(query, body) };
    return { ok: true, id: await this.members.remove(keyOf(request), id, who, expectedVersions(request)) };
  }

  @Get(':member')
  @Access('key')
  @Operation({
    id: 'getMember',
    summary: 'A member, for whoever may chat; "me" for whoever the key stands for, who may read',
    answers: { 200: 'Member' },
    refuses: ['DAO_NOT_FOUND', 'MEMBER_NOT_FOUND'],
  })
  async get(
    @Param('id', { schema: DaoIdSchema }) id: string,
    @Param('member', { schema: MemberRefSchema }) member: string,
    @Query({ schema: NoQuerySchema }) _query: object,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Answer> {
    return shown(reply, await this.members.get(keyOf(request), id, member));
  }

  @Patch(':member')
  @Access('member.invite')
  @Operation({
    id: 'changeMember',
    summary: 'Change roles or name of a member',
    body: MemberChangesSchema,
    answers: { 200: 'Member' },
    refuses: ['DAO_NOT_FOUND', 'MEMBER_NOT_FOUND', 'ROLE_NOT_FOUND', 'LAST_ADMIN'],
    ifMatch: true,
  })
  async change(
    @Param('id', { schema: DaoIdSchema }) id: string,
    @Param('member', { schema: MemberRefSchema }) member: string,
    @Body({ schema: MemberChangesSchema }) body: MemberChangesBody,
    @Query({ schema: NoQuerySchema }) _query: object,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Answer> {
    return shown(reply, await this.members.change(keyOf(request), id, member, body, expectedVersions(request)));
  }

  @Delete(':member')
  @HttpCode(200)
  @Access('member.remove')
  @Operation({
    id: 'removeMember',
    summary: 'Remove a member',
    answers: { 200: 'Id' },
    refuses: ['DAO_NOT_FOUND', 'MEMBER_NOT_FOUND', 'LAST_ADMIN'],
    ifMatch: true,
  })
  async remove(
    @Param('id', { schema: DaoIdSchema }) id: string,
    @Param('member', { schema: MemberRefSchema }) member: string,
    @Query({ schema: NoQuerySchema }) _query: object,
    @Req() request: FastifyRequest,
  ): Promise<{ ok: true; id: string }> {
    const who = { ref: member };
    return { ok: true, id: await this.members.remove(keyOf(request), id, who, expectedVersions(request)) };
  }
}

/** @throws AppError `BODY_INVALID` where no user is named, or two are */
function userNamed({ user_id: inQuery }: UserQuery, body: UserBody): string {
  const named = inQuery ?? body?.user_id;
  if (named === undefined || (body?.user_id ?? named) !== named) {
    throw new AppError('BODY_INVALID', 'user_id is to name one user, in the query or in the body.');
  }
  return named;
}

/** A member in an answer, with its version. */
function shown(reply: FastifyReply, member: SeenMember): Answer {
  tellVersion(reply, member.version);
  return { ok: true, ...member };
}
