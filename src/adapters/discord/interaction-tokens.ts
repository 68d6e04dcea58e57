import type { InteractionsRepository, KeptInteraction } from '../store/interactions.repository.js';
import type { TokenSeal } from './token-seal.js';

/** For so long the token of an interaction opens its messages, in milliseconds. */
export const TOKEN_LIFE_MS = 15 * 60_000;
/** A token is not used when it is about to end, in milliseconds. */
const MARGIN_MS = 10_000;

/** An interaction as it came in. */
export interface NewInteraction {
  updateKey: string;
  id: string;
  applicationId: string;
  token: string;
  /** Whether nobody but its person is to see what answers it. */
  isPrivate: boolean;
}

/** An interaction that something is to be said to. */
export interface Interaction {
  updateKey: string;
  applicationId: string;
  /** Undefined: it opens nothing any more. */
  token: string | undefined;
  isPrivate: boolean;
  beganAt: Date;
}

/** Interactions and their tokens, which stand in the database sealed and are in memory only while they are used. */
export class InteractionTokens {
  constructor(
    private readonly repository: InteractionsRepository,
    private readonly seal: TokenSeal,
    private readonly now: () => number = Date.now,
  ) {}

  /** @returns false: it is kept already @throws AppError `STORE_UNAVAILABLE` */
  keep({ updateKey, id, applicationId, token, isPrivate }: NewInteraction): Promise<boolean> {
    const beganAt = this.now();
    return this.repository.keep({
      ...{ updateKey, interactionId: id, applicationId, isPrivate },
      tokenSealed: this.seal.seal(token, updateKey),
      beganAt: new Date(beganAt),
      expiresAt: new Date(beganAt + TOKEN_LIFE_MS),
    });
  }

  /** The interaction that a reply answers, and whether it was a press. @throws AppError `STORE_UNAVAILABLE` */
  async ofReply(replyId: string): Promise<(Interaction & { isPress: boolean }) | undefined> {
    const kept = await this.repository.ofReply(replyId);
    return kept && { ...this.opened(kept), isPress: kept.isPress };
  }

  /** @throws AppError `STORE_UNAVAILABLE` */
  async ofId(id: string): Promise<Interaction | undefined> {
    return this.opened(await this.repository.ofId(id));
  }

  /** The interaction through which a message is reached, as its how-manieth. @throws AppError `STORE_UNAVAILABLE` */
  async ofMessage(channel: string, messageId: string): Promise<(Interaction & { n: number }) | undefined> {
    const kept = await this.repository.ofMessage(channel, messageId);
    return kept && { ...this.opened(kept), n: kept.n };
  }

  /** Forgets a token that opens nothing. @throws AppError `STORE_UNAVAILABLE` */
  async forget({ updateKey }: Interaction): Promise<void> {
    await this.repository.forgetToken(updateKey);
  }

  /** Forgets tokens whose time is over. @throws AppError `STORE_UNAVAILABLE` */
  async sweep(): Promise<void> {
    await this.repository.sweep();
  }

  private opened(kept: KeptInteraction): Interaction;
  private opened(kept: KeptInteraction | undefined): Interaction | undefined;
  private opened(kept: KeptInteraction | undefined): Interaction | undefined {
    if (!kept) return undefined;
    const { updateKey, applicationId, tokenSealed, isPrivate, beganAt, expiresAt } = kept;
    const isOpen = tokenSealed !== null && expiresAt.getTime() - MARGIN_MS > this.now();
    const token = isOpen ? this.seal.open(tokenSealed, updateKey) : undefined;
    return { updateKey, applicationId, token, isPrivate, beganAt };
  }
}
