import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { findSigningKey, isSignedBy, keyId, publicKeysIn } from './signing-key.js';

const pem = (): string => generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

describe('findSigningKey', () => {
  let home: string;
  let file: string;

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'dagi-test-key-'));
    file = join(home, 'signing-key.pem');
  });

  afterEach(() => {
    rmSync(home, { recursive: true });
  });

  it('makes a key once, for its user alone, and takes it again', () => {
    const made = findSigningKey({ home }, 'development');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(home)).toEqual(['signing-key.pem']);
    expect(findSigningKey({ home }, 'development')?.public_key).toBe(made?.public_key);
  });

  it('makes none in production', () => {
    expect(findSigningKey({ home }, 'production')).toBeUndefined();
    expect(readdirSync(home)).toEqual([]);
  });

  it('takes the key that is given, in each form, and keeps none', () => {
    const key = pem();
    const body = key.replace(/-----[^-]+-----|\s/g, '');
    const forms = [key, key.replaceAll('\n', String.raw`\n`), body];
    const ids = forms.map((form) => findSigningKey({ home, DAGI_SIGNING_KEY: form }, 'production')?.key_id);
    expect(new Set(ids).size).toBe(1);
    expect(ids[0]).toMatch(/^[0-9a-f]{16}$/);
    expect(readdirSync(home)).toEqual([]);
  });

  it.each(['no key', generateKeyPairSync('x25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()])(
    'refuses what is no key of Ed25519, without showing it',
    (key) => {
      const find = (): unknown => findSigningKey({ home, DAGI_SIGNING_KEY: key }, 'production');
      expect(find).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
      expect(find).toThrow(/openssl genpkey/);
      expect(find).not.toThrow(key);
    },
  );

  it.each<[string, () => void]>([
    ['others can read', () => writeFileSync(file, pem(), { mode: 0o644 })],
    ['holds no key', () => writeFileSync(file, 'no key', { mode: 0o600 })],
    [
      'leads elsewhere',
      () => {
        writeFileSync(join(home, 'other.pem'), pem(), { mode: 0o600 });
        symlinkSync(join(home, 'other.pem'), file);
      },
    ],
  ])('refuses a kept key that %s, and leaves it', (_how, put) => {
    put();
    const before = readFileSync(file, 'utf8');
    const find = (): unknown => findSigningKey({ home }, 'development');
    expect(find).toThrow(expect.objectContaining({ code: 'SETUP_FAILED' }));
    expect(readFileSync(file, 'utf8')).toBe(before);
  });

  it('signs what its public key confirms, and nothing else', () => {
    const key = findSigningKey({ home }, 'development')!;
    const [open] = publicKeysIn(key.public_key);
    const signature = key.sign('text');
    expect(keyId(open!)).toBe(key.key_id);
    expect(isSignedBy(open!, 'text', signature)).toBe(true);
    expect(isSignedBy(open!, 'other', signature)).toBe(false);
    expect(isSignedBy(open!, 'text', 'AAAA')).toBe(false);
  });

  it('reads several public keys of one file, and one in base64', () => {
    const keys = [
      findSigningKey({ home, DAGI_SIGNING_KEY: pem() }, 'x'),
      findSigningKey({ home, DAGI_SIGNING_KEY: pem() }, 'x'),
    ];
    const both = keys.map((key) => key?.public_key).join('\n');
    expect(publicKeysIn(both).map(keyId)).toEqual(keys.map((key) => key?.key_id));
    const body = keys[0]!.public_key.replace(/-----[^-]+-----|\s/g, '');
    expect(publicKeysIn(body).map(keyId)).toEqual([keys[0]!.key_id]);
    expect(() => publicKeysIn('nothing')).toThrow();
  });
});
