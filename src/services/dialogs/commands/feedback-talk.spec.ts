import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { anActing, anUpdate, aTurn, DAO, pressesIn } from '../../../../test/factories/conversation.js';
import { strict } from '../../../../test/factories/strict.js';
import type { FeedbackRepository } from '../../../adapters/store/feedback.repository.js';
import type { OffersRepository } from '../../../adapters/store/offers.repository.js';
import type { PendingRepository } from '../../../adapters/store/pending.repository.js';
import type { ShownAnswersRepository } from '../../../adapters/store/shown-answers.repository.js';
import { phrasesIn } from '../../../domain/dialog/phrases.js';
import type { AccessService } from '../../access.service.js';
import { BOTS_KEY } from '../turn.js';
import { FeedbackTalk } from './feedback-talk.js';

const OPINION = { daoId: DAO, requestId: 'r1', actor: 'tg:12345' };
const phrases = phrasesIn('en');
const placed = (changes: Parameters<typeof anUpdate>[0] = {}) => ({ daoId: DAO, update: anUpdate(changes) });

describe('what people think of answers', () => {
  const require = jest.fn<AccessService['require']>();
  const mark = jest.fn<FeedbackRepository['mark']>();
  const takeBack = jest.fn<FeedbackRepository['takeBack']>();
  const comment = jest.fn<FeedbackRepository['comment']>();
  const isTurnOf = jest.fn<ShownAnswersRepository['isTurnOf']>();
  const ofMessage = jest.fn<ShownAnswersRepository['ofMessage']>();
  const ask = jest.fn<PendingRepository['ask']>();
  const drop = jest.fn<PendingRepository['drop']>();
  const make = jest.fn<OffersRepository['make']>();
  const talk = new FeedbackTalk({
    access: strict<AccessService>('access', { require }),
    feedback: strict<FeedbackRepository>('feedback', { mark, takeBack, comment }),
    answers: strict<ShownAnswersRepository>('answers', { isTurnOf, ofMessage }),
    pending: strict<PendingRepository>('pending', { ask, drop }),
    offers: strict<OffersRepository>('offers', { make }),
  });

  beforeEach(() => {
    jest.resetAllMocks();
    require.mockResolvedValue(anActing());
    isTurnOf.mockResolvedValue(true);
    ofMessage.mockResolvedValue({ requestId: 'r1', refused: null });
    mark.mockResolvedValue(true);
    comment.mockResolvedValue(true);
    ask.mockResolvedValue();
    drop.mockResolvedValue(true);
    make.mockResolvedValue('u1');
  });

  it('should be written down by a button, and thanked for', async () => {
    const pressed = await talk.press(placed(), { what: 'mark', requestId: 'r1', mark: 'good' }, phrases);
    expect(pressed).toEqual({ told: 'Thank you, glad to hear it!', says: undefined });
    expect(require).toHaveBeenCalledWith(BOTS_KEY, { daoId: DAO, userId: 'tg:12345' }, 'chat.read');
    expect(mark).toHaveBeenCalledWith(OPINION, 'good', 'button');
    expect(ask).not.toHaveBeenCalled();
  });

  it('should lead to the question what was wrong, once', async () => {
    const press = { what: 'mark' as const, requestId: 'r1', mark: 'bad' as const };
    const { says } = await talk.press(placed(), press, phrases);
    expect(says?.body.text).toMatch(/^I am sorry\. What was wrong\?/);
    expect(pressesIn(says)).toEqual([
      ['wrong:r1:facts', 'wrong:r1:unclear'],
      ['wrong:r1:long', 'wrong:r1:other'],
    ]);
    expect(ask).toHaveBeenCalledWith(anUpdate(), DAO, { kind: 'complaint', requestId: 'r1' });
    mark.mockResolvedValue(false);
    expect((await talk.press(placed(), press, phrases)).says).toBeUndefined();
    // The one press, told again: the question may not have been asked.
    expect((await talk.press(placed({ isAgain: true }), press, phrases)).says).toBeDefined();
  });

  it('should be of turns of that chat alone', async () => {
    isTurnOf.mockResolvedValue(false);
    const press = { what: 'mark' as const, requestId: 'r1', mark: 'good' as const };
    expect(await talk.press(placed(), press, phrases)).toEqual({ told: phrases.notYours });
    expect(await talk.complain(placed(), { what: 'wrong', requestId: 'r1', complaint: 'long' }, phrases)).toEqual({
      told: phrases.notYours,
    });
    expect(await talk.react(placed(), ['👍'], phrases)).toBeUndefined();
    expect([mark.mock.calls, comment.mock.calls]).toEqual([[], []]);
  });

  it.each([
    [['👍'], 'good'],
    [['❤️'], 'good'],
    [['❤'], 'good'],
    [['🔥'], 'good'],
    [['👎'], 'bad'],
    [['🤔', '💩'], 'bad'],
  ] as const)('should be told by reactions: %j', async (marks, expected) => {
    await talk.react(placed({ messageId: '77' }), [...marks], phrases);
    expect(ofMessage).toHaveBeenCalledWith(DAO, 'c1', '77');
    expect(mark).toHaveBeenCalledWith(OPINION, expected, 'reaction');
  });

  it('should be taken back with a reaction, and say nothing where no answer is', async () => {
    takeBack.mockResolvedValue();
    expect(await talk.react(placed(), [], phrases)).toBeUndefined();
    expect(takeBack).toHaveBeenCalledWith(OPINION);
    ofMessage.mockResolvedValue(undefined);
    expect(await talk.react(placed(), ['👍'], phrases)).toBeUndefined();
    ofMessage.mockResolvedValue({ requestId: null, refused: null });
    expect(await talk.react(placed(), ['👍'], phrases)).toBeUndefined();
    expect(await talk.react(placed({ messageId: null }), ['👍'], phrases)).toBeUndefined();
    expect(mark).not.toHaveBeenCalled();
  });

  it('should be explained by a button', async () => {
    const press = { what: 'wrong' as const, requestId: 'r1', complaint: 'facts' as const };
    const pressed = await talk.complain(placed(), press, phrases);
    expect(pressed).toMatchObject({ told: phrases.thanksComment, shows: { buttons: [] } });
    expect(comment).toHaveBeenCalledWith(OPINION, 'facts');
    expect(drop).toHaveBeenCalled();
    comment.mockResolvedValue(false);
    expect(await talk.complain(placed(), press, phrases)).toEqual({ told: phrases.others });
  });

  it('should be explained in words, with a way out for what was a question', async () => {
    const other = { what: 'wrong' as const, requestId: 'r1', complaint: 'other' as const };
    expect((await talk.complain(placed(), other, phrases)).told).toMatch(/in your own words/);
    expect(ask).toHaveBeenCalledWith(anUpdate(), DAO, { kind: 'complaint', requestId: 'r1' });
    const turn = aTurn(' The price is wrong.\0 ');
    const thanks = await talk.explained(turn, 'r1', phrases);
    expect(comment).toHaveBeenLastCalledWith(OPINION, 'The price is wrong.');
    expect(pressesIn(thanks)).toEqual([['offer:u1:ask']]);
    await talk.explained(aTurn('x'.repeat(5_000)), 'r1', phrases);
    expect(comment.mock.lastCall?.[1]).toHaveLength(2_000);
  });
});
