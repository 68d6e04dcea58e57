import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { strict } from '../../../test/factories/strict.js';
import { USUAL_PREFERENCES, type Preferences } from '../../contracts/news.js';
import type { PreferencesRepository } from '../../adapters/store/preferences.repository.js';
import type { Language } from '../../contracts/dialog.js';
import { AppError } from '../../errors/app-error.js';
import type { AccessService } from '../access.service.js';
import { notifyCommand } from './notify-command.js';
import { PreferencesService } from './preferences.service.js';

let kept: Preferences;
let member: string | undefined;

const service = (): PreferencesService =>
  new PreferencesService(
    strict<PreferencesRepository>('preferences', {
      of: () => Promise.resolve(kept),
      put: (_daoId, _member, preferences) => Promise.resolve(void (kept = preferences)),
    }),
    strict<AccessService>('access', {
      require: (_key, { daoId, userId }, needs) => {
        expect([daoId, userId, needs]).toEqual(['dao', 'tg:1', 'chat.read']);
        return Promise.resolve({ daoId, facts: { member } } as never);
      },
    }),
  );

const notify = async (args: string, language: Language = 'en'): Promise<string> =>
  (await notifyCommand(service(), { daoId: 'dao', userId: 'tg:1', language, args })).body.text;

describe('/notify', () => {
  beforeEach(() => {
    [kept, member] = [USUAL_PREFERENCES, 'p_1'];
  });

  it('should show what somebody is told of', async () => {
    expect(await notify('')).toMatch(/^What I write to you about:\n• approvals: on[^]*Quiet hours: none/);
    expect(kept).toBe(USUAL_PREFERENCES);
    expect(await notify('', 'uk')).toMatch(/^Про що я вам пишу:\n• погодження: так[^]*Тихих годин немає/);
  });

  it.each([
    ['off proposals', ['proposals']],
    ['OFF Votes', ['proposals']],
    ['вимкнути голосування', ['proposals']],
    ['mute', ['approvals', 'runs', 'proposals', 'membership']],
  ])('should switch off: %s', async (args, muted) => {
    await notify(args);
    expect(kept.muted).toEqual(muted);
  });

  it('should switch on again, and leave the rest', async () => {
    kept = { ...USUAL_PREFERENCES, muted: ['runs', 'proposals'] };
    expect(await notify('увімкнути результати', 'uk')).toContain('• результати (команд): так');
    expect(kept.muted).toEqual(['proposals']);
  });

  it('should set quiet hours and where somebody lives, and take them back', async () => {
    expect(await notify('quiet 22:00-8:00')).toMatch(
      /Quiet hours: 22:00 to 08:00\nTime zone: Europe\/Kyiv, where it is/,
    );
    expect(await notify('zone Europe/Lisbon')).toMatch(/Time zone: Europe\/Lisbon, where it is \d\d:\d\d now/);
    expect(kept).toEqual({ muted: [], quiet: { from: 1_320, to: 480 }, timeZone: 'Europe/Lisbon' });
    await notify('quiet off');
    expect(kept.quiet).toBeNull();
  });

  it('should show where somebody lives, and what the clock shows there, quiet hours or not', async () => {
    jest.useFakeTimers({ now: new Date('2026-11-30T12:34:00Z') });
    expect(await notify('zone new york')).toContain(
      'Quiet hours: none\nTime zone: America/New_York, where it is 07:34 now',
    );
    expect(await notify('', 'uk')).toContain('Часовий пояс: America/New_York, там зараз 07:34');
    jest.useRealTimers();
  });

  it.each(['zone', 'quiet', 'Пояс'])(
    'should show how things are, and change nothing, for no more than: %s',
    async (args) => {
      expect(await notify(args)).toMatch(/^What I write to you about:/);
      expect(kept).toBe(USUAL_PREFERENCES);
    },
  );

  it.each(['off weather', 'louder', 'quiet night', 'zone Nowhere'])('should change nothing for: %s', async (args) => {
    expect(await notify(args)).toMatch(/^(?:I did not understand|I know no time zone)/);
    expect(kept).toBe(USUAL_PREFERENCES);
  });

  it('should be of members alone', async () => {
    member = undefined;
    expect(await notify('off', 'uk')).toBe('Це налаштовують лише учасники DAO.');
  });

  it('should not keep a time zone that there is not', async () => {
    const change = service().change({} as never, { daoId: 'dao', userId: 'tg:1' }, { timeZone: 'Nowhere' });
    await expect(change).rejects.toBeInstanceOf(AppError);
  });
});
