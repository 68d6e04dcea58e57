import { Controller, Get, Header, HttpCode, Options } from '@nestjs/common';
import { AppError } from '../errors/app-error.js';
import { Access } from '../middleware/access.js';
import { McpOAuth } from './oauth.js';

const PATHS = ['.well-known/oauth-protected-resource', '.well-known/oauth-protected-resource/mcp'];

/** Who gives out access tokens for `/mcp` (RFC 9728). Clients in web pages of any origin may read it. */
@Controller()
export class WellKnownController {
  constructor(private readonly oauth: McpOAuth) {}

  @Get(PATHS)
  @Access('public')
  @Header('access-control-allow-origin', '*')
  protectedResource(): Record<string, unknown> {
    const metadata = this.oauth.metadata();
    if (!metadata) throw new AppError('NOT_FOUND', 'No access tokens are taken here: use a key.');
    return metadata;
  }

  /** Clients say with it which protocol they speak, which a browser asks leave for. */
  @Options(PATHS)
  @HttpCode(204)
  @Access('public')
  @Header('access-control-allow-origin', '*')
  @Header('access-control-allow-methods', 'GET')
  @Header('access-control-allow-headers', '*')
  preflight(): void {
    // The headers say it all.
  }
}
