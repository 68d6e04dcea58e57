import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { Access } from '../../middleware/access.js';
import type { DiscordAnswer } from './answers.js';
import { DiscordIntake } from './intake.js';

/** Path to which Discord sends interactions, below the address under which it reaches us. */
export const DISCORD_INTERACTIONS = 'discord/interactions';

/** `POST /discord/interactions`: its signature is checked before the body is read, see `guardInteractions`. */
@ApiExcludeController()
@Controller()
export class DiscordController {
  constructor(private readonly intake: DiscordIntake) {}

  @Post(DISCORD_INTERACTIONS)
  @Access('signed')
  @HttpCode(200)
  interaction(@Body() interaction: unknown): Promise<DiscordAnswer> {
    return this.intake.answer(interaction);
  }
}
