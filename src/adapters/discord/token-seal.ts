import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Env } from '../../../config/env.js';
import { AppError } from '../../errors/app-error.js';
import { makePrivate, readPrivate } from '../private-file.js';

const FILE = 'discord-seal.key';
const SECRET_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const PURPOSE = 'tokens of interactions';

/** Encrypts tokens for the database (AES-256-GCM). What was sealed for one interaction opens nothing for another. */
export class TokenSeal {
  private readonly key: Buffer;

  /** @param secret what only the processes of this installation know */
  constructor(secret: string) {
    this.key = Buffer.from(hkdfSync('sha256', secret, '', PURPOSE, 32));
  }

  seal(text: string, of: string): string {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.key, iv).setAAD(Buffer.from(of));
    const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
    return Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64url');
  }

  /** @returns undefined: it was sealed by another key, for another one, or was changed since */
  open(sealed: string, of: string): string | undefined {
    const bytes = Buffer.from(sealed, 'base64url');
    const [iv, rest] = [bytes.subarray(0, IV_BYTES), bytes.subarray(IV_BYTES)];
    try {
      const decipher = createDecipheriv('aes-256-gcm', this.key, iv).setAAD(Buffer.from(of));
      decipher.setAuthTag(rest.subarray(0, TAG_BYTES));
      return Buffer.concat([decipher.update(rest.subarray(TAG_BYTES)), decipher.final()]).toString('utf8');
    } catch {
      return undefined;
    }
  }
}

/**
 * The seal of this installation: from the bot's token, so that it is the same in every process; without one from a random
 * file in `DAGI_HOME`, which processes on other machines do not have.
 * @throws AppError `SETUP_FAILED` if the kept file cannot be trusted
 */
export function findTokenSeal({ DISCORD_BOT_TOKEN: token, home }: Pick<Env, 'DISCORD_BOT_TOKEN' | 'home'>): TokenSeal {
  if (token !== undefined) return new TokenSeal(token);
  const file = join(home, FILE);
  return new TokenSeal(readPrivate(file, distrust) ?? makePrivate(file, newSecret(), distrust));
}

const newSecret = (): string => randomBytes(SECRET_BYTES).toString('base64url');

const distrust = (file: string, cause?: unknown): AppError =>
  new AppError(
    'SETUP_FAILED',
    `${file} is not a file of this user alone (mode 0600): look at it, and remove it to have a new one made.`,
    {},
    { cause },
  );
