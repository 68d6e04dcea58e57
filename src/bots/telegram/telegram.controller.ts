import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { Access } from '../../middleware/access.js';
import { TelegramIntake } from './intake.js';

/** Path of the webhook, below the address under which the platform reaches us. */
export const TELEGRAM_WEBHOOK = 'telegram/webhook';

/** `POST /telegram/webhook`: its secret is checked before the body is read, see `guardWebhook`. */
@ApiExcludeController()
@Controller()
export class TelegramController {
  constructor(private readonly intake: TelegramIntake) {}

  /** The answer has no body: Telegram would carry out what one says. */
  @Post(TELEGRAM_WEBHOOK)
  @Access('signed')
  @HttpCode(200)
  async webhook(@Body() update: unknown): Promise<void> {
    await this.intake.take(update);
  }
}
