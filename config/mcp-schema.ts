import { z } from 'zod';

const hostname = z
  .string()
  .regex(/^[\w.-]{1,253}$|^\[[0-9a-f:]{2,39}\]$/i, 'expected the name of a host, without a port')
  .describe('Name of a host, without a port.');

const OAuthSchema = z
  .strictObject({
    issuer: z
      .url({ protocol: /^https?$/ })
      .describe('Who gives tokens out: the address of an OpenID provider, letter by letter as its tokens have it.'),
    audience: z
      .string()
      .min(1)
      .max(1_000)
      .optional()
      .describe('For whom tokens must be made. Default: the address of the MCP server.'),
    dao_id: z.string().min(1).max(256).optional().describe('The DAO in which bearers of tokens act.'),
    dao_claim: z
      .string()
      .min(1)
      .max(256)
      .optional()
      .describe(
        'The claim of a token that names its DAO, or its DAOs; with dao_id it must be that one. Neither of both: any DAO.',
      ),
  })
  .describe('Access tokens that are taken beside keys.');

/** The MCP server. */
export const McpSchema = z
  .strictObject({
    allowed_hosts: z
      .array(hostname)
      .max(100)
      .default([])
      .describe('Names under which the server may be called, beside this machine’s and that of MCP_PUBLIC_URL.'),
    allowed_origins: z
      .array(hostname)
      .max(100)
      .default([])
      .describe('Hosts of web pages that may call the server, beside this machine’s.'),
    oauth: OAuthSchema.optional(),
  })
  .prefault({})
  .describe('The MCP server.');

export type OAuthSettings = z.output<typeof OAuthSchema>;
