import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { pino } from 'pino';
import type { Inbound } from '../../contracts/dialog.js';
import { AppError } from '../../errors/app-error.js';
import type { DiscordDeed } from '../../schemas/discord.js';
import type { DialogsService } from '../../services/dialogs/dialogs.service.js';
import { until } from '../../../test/support/until.js';
import { Acceptance, type InteractionKeeper } from './acceptance.js';

const deed = { id: '1', application_id: '2', token: 't' } as unknown as DiscordDeed;
const inbound = { updateKey: 'dc:1' } as unknown as Inbound;
const away = (): Promise<never> => Promise.reject(new AppError('STORE_UNAVAILABLE'));
const never = (): Promise<never> => new Promise(() => undefined);

describe(Acceptance, () => {
  const keep = jest.fn<InteractionKeeper['keep']>();
  const receive = jest.fn<DialogsService['receive']>();
  const withdraw = jest.fn<DialogsService['withdraw']>();
  const acceptance = () => new Acceptance({ receive, withdraw }, { keep }, pino({ level: 'silent' }));
  afterEach(() => {
    jest.resetAllMocks();
  });

  it('keeps the token before the chat may wake', async () => {
    keep.mockResolvedValue(true);
    receive.mockImplementation(() => {
      expect(keep).toHaveBeenCalledTimes(1);
      return Promise.resolve(true);
    });
    expect(await acceptance().accept(deed, inbound, true)).toBe('accepted');
    expect(keep).toHaveBeenCalledWith({ updateKey: 'dc:1', id: '1', applicationId: '2', token: 't', isPrivate: true });
    expect(withdraw).not.toHaveBeenCalled();
  });

  it('goes on taking back what may have been written down, until it can', async () => {
    keep.mockImplementation(away);
    withdraw
      .mockImplementationOnce(away)
      .mockImplementationOnce(away)
      .mockImplementationOnce(away)
      .mockResolvedValue(true);
    expect(await acceptance().accept(deed, inbound, false)).toBe('refused');
    await until(() => withdraw.mock.calls.length === 4);
    expect(withdraw).toHaveBeenCalledWith('dc:1');
  });

  it('takes back what is written down after the person was told', async () => {
    let write = (_isTaken: boolean): void => undefined;
    keep.mockResolvedValue(true);
    receive.mockImplementation(() => new Promise<boolean>((resolve) => (write = resolve)));
    withdraw.mockResolvedValue(true);
    expect(await acceptance().accept(deed, inbound, false)).toBe('refused');
    expect(withdraw).toHaveBeenCalledTimes(1);
    write(true);
    await until(() => withdraw.mock.calls.length === 2);
  });

  it('lets nobody wait for a database that is silent', async () => {
    keep.mockImplementation(never);
    withdraw.mockImplementation(never);
    const startedAt = performance.now();
    expect(await acceptance().accept(deed, inbound, false)).toBe('refused');
    // Discord waits for three seconds.
    expect(performance.now() - startedAt).toBeLessThan(2_800);
  });
});
