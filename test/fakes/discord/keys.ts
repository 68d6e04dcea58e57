import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';

/** A private key of Ed25519 as PKCS8, but for its seed. */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

/** The key of an application, by its seed of 64 hexadecimal digits. */
export const keyOf = (seed: string): KeyObject =>
  createPrivateKey({ key: Buffer.concat([PKCS8, Buffer.from(seed, 'hex')]), format: 'der', type: 'pkcs8' });

/** The public key as Discord shows it, in hexadecimal digits. */
export const publicKeyOf = (seed: string): string =>
  createPublicKey(keyOf(seed)).export({ format: 'der', type: 'spki' }).subarray(-32).toString('hex');
