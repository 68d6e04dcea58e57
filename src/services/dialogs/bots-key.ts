import { PLATFORM_OWNER, type CallerKey } from '../../contracts/access.js';
import { BOTS_KEY_ID, BOTS_PRINCIPAL } from '../../contracts/ids.js';

/** The key with which bots act for the people whom their platforms name. It has no secret: nobody calls with it. */
export const BOTS_KEY: CallerKey = {
  ...{ id: BOTS_KEY_ID, daoId: null, principal: BOTS_PRINCIPAL, gateway: true, owner: PLATFORM_OWNER, scopes: null },
};
