import { z } from 'zod';
import { id } from '../../schemas/common.js';
import { MicrodaoQuerySchema } from '../../schemas/microdao.js';
import { dataAnswer } from '../answers.js';
import { defineTool, type McpTool } from '../tool.js';
import type { ToolParts } from '../parts.js';

/** Most entries of one answer: models read all of it. */
const MOST = 200;

const Input = z.strictObject({
  dao_id: id.optional().describe('Which DAO; left out: that of the key, or the usual one.'),
  query_type: z.enum(['roles', 'members', 'proposals']).describe('What is asked for.'),
});

const Output = z.looseObject({
  dao_id: z.string(),
  query_type: z.string(),
  next: z.string().nullable().describe('Not null: there are more, see the resources of the DAO.'),
});

/** `microdao_query`: what there is in a DAO, from the database. */
export const microdaoQuery = ({ microdao }: ToolParts): McpTool =>
  defineTool({
    name: 'microdao_query',
    title: 'Roles, members or proposals of a DAO',
    description:
      'Lists the roles with their rights, the members, or the proposals of a DAO. Asks the database and no model.',
    annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
    input: Input,
    output: Output,
    needs: ({ query_type: type }) => (type === 'members' ? 'chat.write' : 'chat.read'),
    call: async ({ dao_id: daoId, query_type }, { caller }) => {
      const { daoId: dao_id, userId: user_id } = caller.actingIn({ daoId });
      const query = MicrodaoQuerySchema.parse({ query_type, dao_id, user_id, limit: MOST });
      return dataAnswer({ ...(await microdao.query(caller.key, query)) });
    },
  });
