import { describe, expect, it } from '@jest/globals';
import { daoOfSecret, withoutSecrets } from './invitation-secret.js';

const END = 'aB3-_'.repeat(8) + 'xyz';

describe('secrets of invitations', () => {
  it.each([
    [`inv_bees_${END}`, 'bees'],
    [`lnk_green.food_dao-2_${END}`, 'green.food_dao-2'],
    [`inv_bees_${END}!`, undefined],
    [`inv_bees_${END.slice(1)}`, undefined],
    [`inv__${END}`, undefined],
    [`key_bees_${END}`, undefined],
    [` inv_bees_${END}`, undefined],
  ])('should tell of which DAO %s is', (secret, dao) => {
    expect(daoOfSecret(secret)).toBe(dao);
  });

  it('should be in no text that is shown later, wherever they stand in it', () => {
    const text = `/start inv_bees_${END}\nmine: (lnk_a_b_${END}), and inv_bees_short`;
    expect(withoutSecrets(text)).toBe('/start inv_bees_…\nmine: (lnk_a_b_…), and inv_bees_short');
  });
});
