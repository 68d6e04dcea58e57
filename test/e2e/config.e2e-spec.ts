import { PassThrough } from 'node:stream';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readEnv } from '../../config/env.js';
import { DagiClient } from '../../src/cli/client.js';
import { applyConfig, configStatus, reloadConfig } from '../../src/cli/config-life.js';
import { whatIf, type WhatIfOptions } from '../../src/cli/whatif.js';
import type { ConfigState } from '../../src/contracts/config-state.js';
import { startFakeOpenAi } from '../fakes/fake-openai.js';
import type { WireFake } from '../fakes/wire-fake.js';
import { ADMIN_KEY, chatProfile, DAO, fakeProvider, Product, until } from './harness.js';

describe('the configuration of a running instance', () => {
  let fakes: WireFake[];
  let product: Product;
  let client: DagiClient;

  beforeEach(async () => {
    fakes = [await startFakeOpenAi(), await startFakeOpenAi()];
    product = await Product.open({ profile: profile(['one']) });
    client = new DagiClient({ url: product.url, key: ADMIN_KEY });
  });

  afterEach(async () => {
    await product.close();
    for (const fake of fakes) await fake.close();
  });

  /** A profile with both fakes as providers, the guard on, whose chats go to `chain`. */
  const profile = (chain: string[], changes: object = {}): object => ({
    ...chatProfile(
      ['one', 'two'].map((name, index) => fakeProvider(name, fakes[index]!)),
      chain,
    ),
    guard: { enabled: true },
    ...changes,
  });

  const file = (name = 'profile.yml'): string => join(product.home, name);
  const save = (what: object | string): Promise<void> =>
    writeFile(file(), typeof what === 'string' ? what : JSON.stringify(what));

  const warnings = async (): Promise<string[]> =>
    ((await product.call('GET', '/ready', { key: null })).body as unknown as { warnings: string[] }).warnings;
  const state = async (): Promise<ConfigState> => (await product.call('GET', '/config')).body as unknown as ConfigState;
  const untilWarned = (pattern: RegExp): Promise<void> =>
    until(async () => (await warnings()).some((warning) => pattern.test(warning)), `the warning ${pattern}`);
  const untilActive = (not: string): Promise<void> =>
    until(async () => (await state()).active.hash !== not, 'the activation');
  const answerer = async (): Promise<string | null> => (await product.route('Hello')).body.provider;

  it('should follow its file without a restart', async () => {
    const { active } = await state();
    expect(active.file).toBe(file());
    await save(profile(['two']));
    await untilActive(active.hash);
    expect(await answerer()).toBe('two');
    expect(await state()).toMatchObject({ waiting: null, refused: null, reloads: { applied: 1, refused: 0, held: 0 } });
    expect(await warnings()).toEqual([]);
  });

  it('should keep what runs when the file is bad, and warn until it is mended', async () => {
    const { active } = await state();
    await save('version: "1"\nrouting_rules: [{name: chat, use_provider: hidden-name}]\n');
    await untilWarned(/^profile refused at .*: profile\.yml:2:/);
    const said = (await warnings()).join();
    expect(said).not.toContain(product.home);
    expect(said).not.toContain('hidden-name');
    expect(await answerer()).toBe('one');
    expect(await state()).toMatchObject({ active, reloads: { refused: 1 } });
    expect(await configStatus(client)).toContain('hidden-name');
    await save(profile(['one']));
    await until(async () => (await warnings()).length === 0, 'the end of the warning');
    expect((await state()).active).toEqual(active);
    const lines = await product.logLines();
    expect(lines).toContainEqual(expect.objectContaining({ level: 'error', from: active.hash }));
  });

  it('should let a large change wait, over a restart, until the command line confirms it', async () => {
    for (let n = 0; n < 3; n += 1) await answerer();
    const { active } = await state();
    await save(profile(['two']));
    await untilWarned(/waits to be confirmed/);
    expect(await answerer()).toBe('one');
    await product.restart();
    client = new DagiClient({ url: product.url, key: ADMIN_KEY });
    expect(await answerer()).toBe('one');

    const hash = (await state()).waiting?.hash ?? '';
    expect(hash).not.toBe(active.hash);
    expect((await warnings()).join()).toContain(`dagi config apply --confirm ${hash}`);
    const shown = await applyConfig(client, undefined);
    expect(shown).toMatch(/1 +one +two +chat +\d/);
    await expect(applyConfig(client, active.hash)).rejects.toMatchObject({ code: 'CONFIG_NOT_WAITING' });
    expect(await applyConfig(client, hash)).toContain(`active   ${hash}`);
    expect(await answerer()).toBe('two');
    expect(await warnings()).toEqual([]);

    const audit = product.database.all.selectFrom('audit').where('action', 'like', 'config.%').orderBy('seq');
    const actions = await audit.select(['action', 'actor', 'subject']).execute();
    expect(actions.slice(-2)).toEqual([
      { action: 'config.apply', actor: 'api:admin', subject: hash },
      { action: 'config.activate', actor: 'api:system', subject: hash },
    ]);
  });

  it('should never let a denial become an allowance by itself', async () => {
    expect((await product.route('Hello', { user_id: 'tg:12345' })).status).toBe(200);
    await save(profile(['one'], { routing_rules: [rule({ source: 'nowhere' })] }));
    await untilWarned(/waits to be confirmed/);
    await applyConfig(client, (await state()).waiting?.hash);
    expect((await product.route('Hello')).body.error.code).toBe('NO_ROUTE');
    for (let n = 0; n < 20; n += 1) await product.route('Hello', { source: 'nowhere' });
    await save(profile(['one']));
    // Both that the running profile refuses today: the first was recorded as allowed, by the one before it.
    await untilWarned(/2 of 22 recorded requests were refused and would be allowed/);
    expect((await product.route('Hello')).body.error.code).toBe('NO_ROUTE');
  });

  it('should be read again when it is asked to, by the command line and by SIGHUP', async () => {
    const { active } = await state();
    await save(profile(['one'], { limits: { session_tokens: 5 } }));
    let told = '';
    await reloadConfig(client, (text) => (told += text));
    expect(told).toContain('active');
    expect(told).not.toContain(active.hash);
    const second = (await state()).active.hash;
    await save(profile(['one'], { limits: { session_tokens: 6 } }));
    process.emit('SIGHUP');
    await untilActive(second);
  });

  describe('what if', () => {
    let printed: string;
    let remarks: string;

    beforeEach(() => {
      printed = remarks = '';
    });

    async function ask(changes: Partial<WhatIfOptions> = {}): Promise<void> {
      const err = new PassThrough();
      err.on('data', (chunk: Buffer) => (remarks += chunk.toString()));
      const options = { profile: file('new.yml'), since: 3_600_000, limit: 100, run: 0, yes: false, json: false };
      const terminal = { out: (text: string) => (printed += text), err, width: 100 };
      await whatIf(client, readEnv({ DAGI_HOME: product.home }), { ...options, ...changes }, terminal);
    }

    it('should tell what would change, and try it', async () => {
      for (let n = 0; n < 4; n += 1) await product.route('Hello');
      await product.route('Hello', { user_id: 'tg:999' });
      await writeFile(file('new.yml'), JSON.stringify(profile(['two', 'one'])));
      await ask();
      expect(printed).toContain('5 recorded requests');
      expect(printed).toMatch(/unchanged +1 /);
      expect(printed).toMatch(/1 +one +two → one +chat +4 /);
      expect(remarks).toBe('');

      await expect(ask({ run: 1 })).rejects.toMatchObject({ code: 'CONSENT_NEEDED' });
      expect(fakes[1]?.stats.calls).toBe(0);
      printed = '';
      await ask({ run: 2, yes: true });
      expect(printed.match(/recorded: one +│ what if: two/g)).toHaveLength(2);
      expect(remarks).toContain('prompts of recorded requests go to: two');
      expect(fakes[1]?.stats.calls).toBe(2);

      // Trials are no requests of anybody: they are not decided again.
      printed = '';
      await ask({ json: true });
      expect(JSON.parse(printed)).toMatchObject({ requests: 5, changed: 4 });
    });

    it('should say nothing would change under the running profile', async () => {
      for (let n = 0; n < 3; n += 1) await product.route('Hello');
      await writeFile(file('new.yml'), JSON.stringify(profile(['one'])));
      await ask({ json: true });
      expect(JSON.parse(printed)).toMatchObject({ requests: 3, unchanged: 3, groups: [] });
    });

    it('should be the platform’s administrator’s alone, like the configuration', async () => {
      const { key } = await product.key({ dao_id: DAO, principal: 'tg:1' });
      for (const [method, path, body] of [
        ['GET', '/config', undefined],
        ['POST', '/config/reload', undefined],
        ['POST', '/config/apply', { confirm: '0123456789abcdef' }],
        ['POST', '/routing/whatif/trials', { request_id: 'x', provider: 'one' }],
      ] as const) {
        const reply = await product.call(method, path, { key }, body);
        expect([path, reply.status, reply.body.error.required_entitlement]).toEqual([path, 403, 'platform.admin']);
      }
    });
  });

  const rule = (conditions: object): object => ({ name: 'chat', conditions, use_provider: 'one' });
});
