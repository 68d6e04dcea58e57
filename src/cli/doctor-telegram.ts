import type { Env } from '../../config/env.js';
import { TelegramBotApi, type WebhookState } from '../adapters/telegram/telegram-bot-api.js';
import { webhookFor } from '../bots/telegram/telegram-bot.js';
import { DeliveryError } from '../errors/delivery-error.js';
import { counted } from './count.js';
import { bad, fine, type Finding } from './doctor-finding.js';

const PROBE_MS = 5_000;
/** Less than this long ago it is no thing of the past that an update could not be handed over, in milliseconds. */
const OF_LATE_MS = 10 * 60_000;
const HTTPS_ALONE = 'Telegram takes https alone. Set PUBLIC_URL to an https address, or TELEGRAM_MODE=polling.';

type BotEnv = Pick<Env, 'TELEGRAM_BOT_TOKEN' | 'TELEGRAM_API_ROOT' | 'TELEGRAM_MODE' | 'PUBLIC_URL'>;

/**
 * Whether the bot of Telegram is known there, and its updates come to where they are expected.
 * @param isRunning whether an instance ought to have seen to that
 */
export async function checkTelegram(env: BotEnv, isRunning: boolean): Promise<Finding> {
  const { TELEGRAM_BOT_TOKEN: token, TELEGRAM_API_ROOT: root, PUBLIC_URL: publicUrl, TELEGRAM_MODE: wanted } = env;
  if (token === undefined) return fine('off: TELEGRAM_BOT_TOKEN is not set');
  const url = webhookFor(publicUrl, wanted);
  if (root === undefined && url?.startsWith('http:')) return bad(`the webhook would be ${url}, but ${HTTPS_ALONE}`);
  const api = new TelegramBotApi({ token, callMs: PROBE_MS, ...(root !== undefined && { apiRoot: root }) });
  try {
    const [{ username }, state] = [await api.getMe(), await api.getWebhook()];
    const found = url === undefined ? pollingFinding(state, isRunning) : webhookFinding(url, state, isRunning);
    return { ok: found.ok, text: `@${username}, ${found.text}` };
  } catch (error) {
    if (!(error instanceof DeliveryError)) throw error;
    return bad(`${error.message}. ${remedyFor(error, root)}`);
  }
}

function remedyFor({ message }: DeliveryError, root: string | undefined): string {
  if (message.includes('TELEGRAM_BOT_TOKEN'))
    return 'It is what BotFather says for this bot (/token); a revoked one is gone.';
  if (root !== undefined) return `Start what is to answer at TELEGRAM_API_ROOT (${root}), or correct it.`;
  return 'See that this machine reaches api.telegram.org.';
}

const warning = (text: string): string => `\n     warning: ${text}`;
const waiting = ({ pending }: WebhookState): string => `${counted(pending, 'update')} waiting`;

/** Updates are fetched: a webhook would take them all. */
function pollingFinding(state: WebhookState, isRunning: boolean): Finding {
  const { url } = state;
  if (url === undefined) return fine(`polling, ${waiting(state)}`);
  if (!isRunning) return fine(`polling, ${waiting(state)}${warning(`a webhook is set to ${url}; a start removes it`)}`);
  return bad(
    `polling, but a webhook is set to ${url}, which takes all updates: whatever sets it uses this token, too. ` +
      'Stop that, or give it a bot of its own; then start this instance again, which removes the webhook.',
  );
}

/** Updates are pushed. */
function webhookFinding(expected: string, state: WebhookState, isRunning: boolean): Finding {
  const { url, lastError } = state;
  if (url !== expected) return elsewhere(expected, state, isRunning);
  const said = `webhook ${url}, ${waiting(state)}`;
  if (lastError === undefined) return fine(said);
  const told = `could not hand an update over at ${lastError.at.toISOString()}: ${lastError.message}`;
  if (state.pending === 0 && Date.now() - lastError.at.getTime() > OF_LATE_MS)
    return fine(`${said}${warning(`Telegram ${told}`)}`);
  return bad(
    `${said}; Telegram ${told}. See that PUBLIC_URL leads to the API from outside, with a certificate that others trust, ` +
      'on port 443, 80, 88 or 8443, and that all API processes have the same token and secret.',
  );
}

/** The webhook is not ours, or there is none. */
function elsewhere(expected: string, { url }: WebhookState, isRunning: boolean): Finding {
  if (!expected.startsWith('https:') && url === undefined) {
    return bad(`no webhook is set: ${HTTPS_ALONE}`);
  }
  const found = url === undefined ? 'no webhook is set' : `the webhook is set to ${url}`;
  if (!isRunning) return fine(`${found}; a start sets it to ${expected}`);
  const why =
    url === undefined ? 'the log says why' : 'whatever set that uses this token, too: give it a bot of its own';
  return bad(`${found}, not to ${expected}. Start the instance again, which sets it; if it stays so, ${why}.`);
}
