import { AppError } from '../../errors/app-error.js';
import type { RequestsService } from '../requests.service.js';
import { BOTS_KEY } from './turn.js';

/** Stops a request of a chat, for whoever asked. Safe to repeat. @throws AppError of what is away */
export async function stopRequest(
  requests: Pick<RequestsService, 'cancel'>,
  requestId: string,
  actor: string,
): Promise<void> {
  try {
    await requests.cancel(BOTS_KEY, requestId, { userId: actor });
  } catch (error) {
    // It ended by itself, just now.
    const isOver = error instanceof AppError && (error.code === 'REQUEST_ENDED' || error.code === 'REQUEST_NOT_FOUND');
    if (!isOver) throw error;
  }
}
