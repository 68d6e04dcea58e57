import type { Logger } from 'pino';
import type { StrangersRepository } from '../../adapters/store/strangers.repository.js';

/** What was found counts for so long, in milliseconds: anybody may ask, and it costs a look at all chats. */
const KNOWN_MS = 10_000;

export interface BotWarningsParts {
  strangers: Pick<StrangersRepository, 'lacking'>;
  /** Whether a bot is configured. */
  hasBot: boolean;
  defaultDao: () => string | undefined;
  log: Logger;
}

/** What an operator should know of bots that answer nobody, or not everybody. Anybody may read it. */
export class BotWarnings {
  private found: { at: number; warnings: Promise<string[]> } | undefined;

  constructor(private readonly parts: BotWarningsParts) {}

  /** Never fails. */
  now(): Promise<string[]> {
    const { hasBot, defaultDao } = this.parts;
    if (!hasBot || defaultDao() !== undefined) return Promise.resolve([]);
    if (!this.found || Date.now() - this.found.at >= KNOWN_MS) this.found = { at: Date.now(), warnings: this.look() };
    return this.found.warnings;
  }

  private async look(): Promise<string[]> {
    try {
      const { hasDao, hasStrangers } = await this.parts.strangers.lacking();
      if (!hasDao) {
        return ['a bot is configured, and there is no DAO, so it answers nobody. Make one with: dagi dao create'];
      }
      if (!hasStrangers) return [];
      return [
        'people who are members of no DAO have written to a bot, and it cannot answer them: set DAGI_DEFAULT_DAO, or invite them',
      ];
    } catch (error) {
      this.parts.log.debug({ err: error }, 'what bots lack was not found out');
      return [];
    }
  }
}
