import { createHmac, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { AppError } from '../../errors/app-error.js';
import { TELEGRAM_WEBHOOK } from './telegram.controller.js';

const HEADER = 'x-telegram-bot-api-secret-token';
const digest = (text: string): Buffer => createHmac('sha256', 'secret of a webhook').update(text).digest();

/**
 * The secret that Telegram sends with each update where none was given: the same in every process, and known to nobody
 * who does not have the bot's token.
 */
export const secretFrom = (token: string): string =>
  createHmac('sha256', token).update('telegram webhook').digest('base64url');

/**
 * Refuses, before a body is read, what does not bring the secret of the webhook.
 * @param secret undefined: there is no bot here, and nobody to call
 */
export function guardWebhook(server: FastifyInstance, secret: string | undefined): void {
  const expected = secret === undefined ? undefined : digest(secret);
  server.addHook('onRequest', async ({ routeOptions, headers }) => {
    if (routeOptions.url !== `/${TELEGRAM_WEBHOOK}`) return;
    if (!expected) throw new AppError('NOT_FOUND');
    const given = headers[HEADER];
    if (typeof given !== 'string' || !timingSafeEqual(digest(given), expected)) {
      throw new AppError('UNAUTHENTICATED', 'This is not the secret of the webhook.');
    }
  });
}
