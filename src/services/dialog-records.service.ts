import type { CallerKey } from '../contracts/access.js';
import type { DialogHead, DialogPrompt, DialogRecord, DialogSummary } from '../contracts/dialog-record.js';
import type { DialogRow, DialogsRepository, PromptRow, Span } from '../adapters/store/dialogs.repository.js';
import { administers } from '../domain/access.js';
import { insightsOf, promptStatus } from '../domain/dialog/record.js';
import { withoutSecrets } from '../domain/invitation-secret.js';
import { AppError } from '../errors/app-error.js';
import type { AccessService, Acting, Named } from './access.service.js';
import { pageOf, partOf } from './pages.js';

/** Which part, and of which time. */
export interface DialogQuestion extends Named, Span {
  /** Behind this one; undefined: from the first on. */
  after?: string | undefined;
  limit: number;
}

/** A part of a dialog; `next` tells of prompts. */
export type DialogPart = DialogRecord & { next: string | null };

/** Dialogs as they are read and exported: one's own to everybody who may ask anything, those of a DAO to its admins. */
export class DialogRecordsService {
  constructor(
    private readonly dialogs: DialogsRepository,
    private readonly access: AccessService,
  ) {}

  /**
   * Dialogs in which something was written within a span, the oldest first.
   * @throws AppError `RBAC_PERMISSION_DENIED` and the others of access
   */
  async list(
    key: CallerKey,
    { after = '', limit, source, since, until, ...named }: DialogQuestion & { source?: string | undefined },
  ): Promise<{ dialogs: DialogSummary[]; next: string | null }> {
    const acting = await this.access.require(key, named, 'chat.read');
    const { daoId } = acting;
    const filter = { owner: ownerFor(acting), source, since, until };
    const { items, next } = await pageOf({ after, limit }, (...[behind, most]) =>
      this.dialogs.page(daoId, filter, { after: behind, limit: most }),
    );
    return { dialogs: items.map((row) => ({ ...headOf(daoId, row), source: row.source })), next };
  }

  /**
   * A dialog: a part of its prompts, and what members think of all of them.
   * @throws AppError `DIALOG_NOT_FOUND`, to everybody too who may not see it; those of access
   */
  async get(key: CallerKey, id: string, question: DialogQuestion): Promise<DialogPart> {
    const { after = '', limit, since, until, ...named } = question;
    const acting = await this.access.resolve(key, named);
    const { daoId } = acting;
    const mayAsk = acting.rights.entitlements.includes('chat.read');
    const row = mayAsk ? await this.dialogs.find(daoId, id, ownerFor(acting)) : undefined;
    if (!row) throw new AppError('DIALOG_NOT_FOUND');
    const span = { since, until };
    const [prompts, said] = await Promise.all([
      this.dialogs.prompts(daoId, row, span, { after, limit: limit + 1 }),
      this.dialogs.opinions(daoId, row.id, span),
    ]);
    const { items, next } = partOf(prompts, limit, (one) => one.id);
    return { ...headOf(daoId, row), prompts: items.map(promptOf), insights: insightsOf(said), next };
  }
}

/** Whose dialogs somebody may see; undefined: everybody's in the DAO. */
const ownerFor = ({ rights, actor }: Acting): string | undefined => (administers(rights) ? undefined : actor);

const headOf = (daoId: string, { id, user_id, created_at: at }: DialogRow): DialogHead => ({
  dialog_id: id,
  timestamp: at.toISOString(),
  user_id,
  dao_id: daoId,
});

function promptOf(row: PromptRow): DialogPrompt {
  const { prompt, roles, reply, refused: isRefused, took_ms: took, status: request, provider, origin, timings } = row;
  const ms = took ?? timings?.total;
  const held = request === null ? roles : row.request_roles;
  return {
    // A code that somebody wrote here may be good yet, and in another DAO.
    text: withoutSecrets(prompt ?? ''),
    response_time_ms: ms === undefined ? null : Math.max(0, Math.round(ms)),
    provider: provider ?? (origin === null || origin.step === 'tool' ? null : origin.step),
    rbac_role: held === null || held.length === 0 ? null : held.join(', '),
    status: promptStatus({ request, reply, isRefused }),
  };
}
