import type { OpenUpdate, ReplyContent } from '../../../contracts/dialog.js';
import type { ChatsRepository } from '../../../adapters/store/chats.repository.js';
import type { DaosRepository } from '../../../adapters/store/daos.repository.js';
import { linkSpace, unlinkSpace } from '../../../adapters/store/spaces.repository.js';
import { button } from '../../../domain/dialog/buttons.js';
import type { Phrases } from '../../../domain/dialog/phrases.js';
import type { AccessService } from '../../access.service.js';
import type { ChangesService } from '../../changes.service.js';
import { requireEntitlements } from '../../changes.service.js';
import { tagOf } from '../tags.js';
import { BOTS_KEY, type Pressed } from '../turn.js';
import { said, rows, type Asked, type Handlers } from './asked.js';
import { knownTo } from './help-commands.js';

const NEEDED = 'config.update';
/** The word that ends a mapping. */
const OFF = new Set(['off', 'none', 'ні', 'скасувати']);

interface NamedDao {
  id: string;
  name: string;
}

export interface DaoCommandsParts {
  access: Pick<AccessService, 'resolve' | 'require'>;
  changes: Pick<ChangesService, 'within'>;
  chats: Pick<ChatsRepository, 'choose' | 'daosOf' | 'spaceOf'>;
  daos: Pick<DaosRepository, 'find'>;
  /** Whether the author of a message rules the group in which it was written, on its platform. */
  rules: (update: OpenUpdate) => Promise<boolean>;
}

const isCalled = (text: string, { id, name }: NamedDao): boolean =>
  [id, name].some((one) => one.toLowerCase() === text.trim().toLowerCase());

/** What is known of a DAO, which one a chat is about, and to which one a group belongs. */
export class DaoCommands {
  readonly handlers: Handlers = { dao: (asked) => this.dao(asked), link: (asked) => this.link(asked) };

  constructor(private readonly parts: DaoCommandsParts) {}

  /** Chooses the DAO that a button names, for whoever pressed it, if they are a member of it. */
  async choose({ chat, actor, kind }: OpenUpdate, tag: string, phrases: Phrases): Promise<Pressed> {
    const dao = (await this.parts.chats.daosOf(actor)).find(({ id }) => tagOf(id, TAG) === tag);
    if (!dao || kind !== 'private') return { told: phrases.gone };
    await this.parts.chats.choose(chat, dao.id);
    return { told: phrases.daoChosen(dao.name), shows: said(phrases.daoChosen(dao.name)) };
  }

  private async dao(asked: Asked): Promise<ReplyContent> {
    const { turn, phrases, args } = asked;
    const { kind, actor, chat } = turn.update;
    if (args !== '' && kind !== 'private') return said(phrases.daoOnlyPrivate);
    const theirs = kind === 'private' ? await this.parts.chats.daosOf(actor) : [];
    const others = theirs.filter(({ id }) => id !== turn.daoId);
    if (args === '') {
      const facts = (await this.parts.daos.find(turn.daoId))?.facts ?? {};
      const known = knownTo(asked, 'dao', facts);
      return said(others.length === 0 ? known : `${known}\n\n${phrases.daoChoose}`, choices(others));
    }
    const dao = theirs.find((one) => isCalled(args, one));
    if (!dao) return said(theirs.length === 0 ? phrases.daoNone : phrases.daoUnknown(args), choices(others));
    await this.parts.chats.choose(chat, dao.id);
    return said(phrases.daoChosen(dao.name));
  }

  private async link(asked: Asked): Promise<ReplyContent> {
    const { turn, phrases, args } = asked;
    const space = await this.parts.chats.spaceOf(turn.update.chat);
    if (space === null) return said(phrases.onlyGroup('link'));
    if (OFF.has(args.toLowerCase())) return this.unlink(asked, space);
    const theirs = await this.parts.chats.daosOf(turn.update.actor);
    const named = theirs.find((one) => isCalled(args, one));
    // A group reads it: what somebody wrote there is not repeated.
    if (args !== '' && !named) return said(phrases.linkUnknown);
    const candidates = named ? [named] : await this.ruledBy(turn.update.actor, theirs);
    const [dao, another] = candidates;
    if (another) return said(phrases.linkWhich(candidates.map(({ id }) => id).join(', ')));
    if (dao) return this.linkTo(asked, dao, space);
    // Whoever is a member somewhere hears what they lack.
    if (theirs[0]) await this.acting(asked, theirs[0].id);
    return said(phrases.linkNone);
  }

  private async linkTo(asked: Asked, dao: NamedDao, space: string): Promise<ReplyContent> {
    const { phrases, turn } = asked;
    const { source } = turn.update.address;
    const acting = await this.acting(asked, dao.id);
    // Else an admin of one DAO could have what is said in the group of another.
    if (!(await this.parts.rules(turn.update))) return said(phrases.linkNeedsRuler);
    const outcome = await this.parts.changes.within(acting, async ({ db, by, self, record }) => {
      requireEntitlements(by, [NEEDED]);
      const linked = await linkSpace(db, { source, space }, dao.id, self?.id ?? by.key.id);
      if (linked === 'linked') {
        await record({ actor: by.actor, action: 'space.link', subject: `${source}:${space}` });
      }
      return linked;
    });
    const words = { linked: phrases.linked, already: phrases.linkedAlready, others: () => phrases.linkedElsewhere };
    return said(words[outcome](dao.name));
  }

  /** Ends the mapping to the DAO that the chat is of. */
  private async unlink(asked: Asked, space: string): Promise<ReplyContent> {
    const { phrases, turn } = asked;
    const { source } = turn.update.address;
    const acting = await this.acting(asked, turn.daoId);
    const ended = await this.parts.changes.within(acting, async ({ db, by, record }) => {
      requireEntitlements(by, [NEEDED]);
      const was = await unlinkSpace(db, { source, space });
      if (was) await record({ actor: by.actor, action: 'space.unlink', subject: `${source}:${space}` });
      return was;
    });
    return said(ended ? phrases.unlinked(acting.facts.dao.name) : phrases.notLinked);
  }

  private acting({ turn }: Asked, daoId: string): ReturnType<AccessService['require']> {
    return this.parts.access.require(BOTS_KEY, { daoId, userId: turn.update.actor }, NEEDED);
  }

  /** Those of a person's DAOs that they may link a group to. */
  private async ruledBy(userId: string, daos: readonly NamedDao[]): Promise<NamedDao[]> {
    const ruled: NamedDao[] = [];
    for (const dao of daos) {
      const { rights } = await this.parts.access.resolve(BOTS_KEY, { daoId: dao.id, userId });
      if (rights.entitlements.includes(NEEDED)) ruled.push(dao);
    }
    return ruled;
  }
}

/** As many digits tell apart whatever DAOs there are. */
const TAG = 16;

const choices = (daos: readonly NamedDao[]) =>
  rows(
    daos.map(({ id, name }) => button(name, { what: 'dao', tag: tagOf(id, TAG) })),
    1,
  );
