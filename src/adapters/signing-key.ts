import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  verify,
  type KeyObject,
} from 'node:crypto';
import { join } from 'node:path';
import type { Env } from '../../config/env.js';
import type { HeadKey } from '../contracts/audit.js';
import { AppError } from '../errors/app-error.js';
import { makePrivate, readPrivate } from './private-file.js';

const FILE = 'signing-key.pem';

/** Signs heads of the record (Ed25519). */
export class SigningKey implements HeadKey {
  readonly key_id: string;
  readonly public_key: string;

  /** @throws TypeError if it is no private key of Ed25519 */
  constructor(private readonly key: KeyObject) {
    if (key.type !== 'private' || key.asymmetricKeyType !== 'ed25519') throw new TypeError('no private key of Ed25519');
    const open = createPublicKey(key);
    this.key_id = keyId(open);
    this.public_key = open.export({ type: 'spki', format: 'pem' }).toString();
  }

  sign(text: string): string {
    return sign(null, Buffer.from(text), this.key).toString('base64');
  }
}

/**
 * The key that `DAGI_SIGNING_KEY` gives; in development one that is made and kept with the state, readable by its owner
 * alone. Undefined in production without one: then nothing is signed.
 * @throws AppError `CONFIG_INVALID`, `SETUP_FAILED` if the kept one cannot be trusted
 */
export function findSigningKey(
  env: Pick<Env, 'DAGI_SIGNING_KEY' | 'home'>,
  environment: string,
): SigningKey | undefined {
  if (env.DAGI_SIGNING_KEY !== undefined) return parse(env.DAGI_SIGNING_KEY);
  if (environment === 'production') return undefined;
  const file = join(env.home, FILE);
  return read(file) ?? make(file);
}

/** First half of the hash of a public key, by which heads name it. */
export const keyId = (key: KeyObject): string =>
  createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('hex')
    .slice(0, 16);

/**
 * Reads public keys.
 * @param text one or several in PEM, or one in base64
 * @throws TypeError if there is none, or another kind of key
 */
export function publicKeysIn(text: string): KeyObject[] {
  const blocks = text.match(/-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----/g);
  const keys = blocks?.map((pem) => createPublicKey(pem)) ?? [
    createPublicKey({ key: Buffer.from(text.trim(), 'base64'), type: 'spki', format: 'der' }),
  ];
  if (keys.some(({ asymmetricKeyType }) => asymmetricKeyType !== 'ed25519')) throw new TypeError('no key of Ed25519');
  return keys;
}

/** Whether a signature in base64 is right for a text. */
export const isSignedBy = (key: KeyObject, text: string, signature: string): boolean =>
  verify(null, Buffer.from(text), key, Buffer.from(signature, 'base64'));

function parse(text: string): SigningKey {
  try {
    const isPem = text.includes('-----BEGIN');
    // A variable of one line carries a PEM's line ends as \n.
    const key = isPem
      ? createPrivateKey(text.replaceAll(String.raw`\n`, '\n'))
      : createPrivateKey({ key: Buffer.from(text.trim(), 'base64'), type: 'pkcs8', format: 'der' });
    return new SigningKey(key);
  } catch (error) {
    // What OpenSSL says of a key that is none helps nobody, and the key itself is shown nowhere.
    const message =
      'DAGI_SIGNING_KEY is no private key of Ed25519 (PEM, or PKCS8 in base64). Make one with: openssl genpkey -algorithm ed25519';
    throw new AppError('CONFIG_INVALID', message, {}, { cause: error });
  }
}

/** The kept key. One that others can read could sign whatever they like. */
function read(file: string): SigningKey | undefined {
  const text = readPrivate(file, distrust);
  return text === undefined ? undefined : kept(file, text);
}

function make(file: string): SigningKey {
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return kept(file, makePrivate(file, pem, distrust));
}

function kept(file: string, pem: string): SigningKey {
  try {
    return new SigningKey(createPrivateKey(pem));
  } catch (error) {
    throw distrust(file, error);
  }
}

const distrust = (file: string, cause?: unknown): AppError =>
  new AppError(
    'SETUP_FAILED',
    `${file} is not a signing key of this user alone (mode 0600): look at it, and remove it to have a new one made.`,
    {},
    { cause },
  );
