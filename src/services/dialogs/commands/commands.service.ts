import { COMMAND_NAMES, type CommandName } from '../../../contracts/conversation.js';
import type { ReplyContent } from '../../../contracts/dialog.js';
import type { Command } from '../../../domain/dialog/command.js';
import { commandInfo, isCommandName } from '../../../domain/dialog/commands.js';
import { AppError } from '../../../errors/app-error.js';
import type { AccessService } from '../../access.service.js';
import { BOTS_KEY, type Turn } from '../turn.js';
import { namedBy, phrasesFor, said, type Asked, type Handler, type Handlers } from './asked.js';
import { isCrewCommand, type CrewCommands } from './crew-commands.js';
import { nearestCommand } from './nearest-command.js';

export interface CommandsParts {
  access: Pick<AccessService, 'resolve' | 'denied'>;
  /** What each command does. */
  handlers: Handlers;
  crews: Pick<CrewCommands, 'offer'>;
}

/** Commands: known or not, allowed or not, done. */
export class CommandsService {
  constructor(private readonly parts: CommandsParts) {}

  /**
   * Does what a command says, with the rights of whoever uses it.
   * @returns what is shown; undefined: nothing
   * @throws AppError `RBAC_PERMISSION_DENIED` on the record, and whatever the services say no with
   */
  async run(turn: Turn, { name, args }: Command): Promise<ReplyContent | undefined> {
    const handler = isCommandName(name) ? this.parts.handlers[name] : undefined;
    if (!handler || !isCommandName(name)) return unknown(turn, name);
    return this.allowed(turn, name, args, handler);
  }

  /** What words mean: done at once, or offered where it starts a crew. @throws AppError as `run` does */
  async follow(turn: Turn, command: Command): Promise<ReplyContent | undefined> {
    const { name } = command;
    if (!isCrewCommand(name)) return this.run(turn, command);
    return this.allowed(turn, name, command.args, (asked) => this.parts.crews.offer(asked, name));
  }

  /** Somebody as they are at this moment, about to do something. @throws AppError of access */
  async asked(turn: Turn, args = ''): Promise<Asked> {
    const acting = await this.parts.access.resolve(BOTS_KEY, namedBy(turn));
    return { turn, acting, phrases: phrasesFor(turn), args };
  }

  private async allowed(
    turn: Turn,
    name: CommandName,
    args: string,
    handler: Handler,
  ): Promise<ReplyContent | undefined> {
    const { needs, place, isElsewhere = false } = commandInfo(name);
    const { onlyGroup, onlyPrivate } = phrasesFor(turn);
    if (place !== undefined && place !== turn.update.kind) {
      return said(place === 'group' ? onlyGroup(name) : onlyPrivate(name));
    }
    const asked = await this.asked(turn, args);
    const { acting } = asked;
    const missing = isElsewhere ? undefined : needs.find((one) => !acting.rights.entitlements.includes(one));
    if (missing === undefined) return handler(asked);
    const detail = { required_entitlement: missing, roles: acting.rights.roles };
    await this.parts.access.denied(acting, detail);
    throw new AppError('RBAC_PERMISSION_DENIED', undefined, detail);
  }
}

/** A hint for a command that there is not. In a group it may be another bot's, unless it is nearly one of ours. */
function unknown(turn: Turn, name: string): ReplyContent | undefined {
  const phrases = phrasesFor(turn);
  const near = nearestCommand(name, COMMAND_NAMES);
  if (near !== undefined) return said(phrases.unknownNear(name, near));
  return turn.update.kind === 'private' ? said(phrases.unknown(name)) : undefined;
}
