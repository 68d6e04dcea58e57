import type { CallerKey, Entitlement } from '../contracts/access.js';
import type { CrewDefinition } from '../contracts/crew.js';
import { countCrews, deleteCrew, findCrew, putCrew, type CrewsRepository } from '../adapters/store/crews.repository.js';
import type { SchemaValidators } from '../adapters/schema-validators.js';
import { entitlementToRun, requiredEntitlements } from '../domain/crew/needs.js';
import { requireVersion, type Expected } from '../domain/versions.js';
import { AppError } from '../errors/app-error.js';
import type { AccessService, Acting, Named } from './access.service.js';
import { requireEntitlements, type ChangesService } from './changes.service.js';

/** What is wrong with a crew, and where. */
export interface CrewProblem {
  path: string;
  message: string;
}

/** Reads what the API was sent as a crew. */
export type ReadCrew = (
  data: unknown,
  known: { roles: readonly string[] },
) => { definition: CrewDefinition } | { problems: CrewProblem[] };

/** A crew as it may be started. */
export interface Crew {
  definition: CrewDefinition;
  /** Of what it says. */
  hash: string;
  /** Of the row, for `If-Match`; null: it comes along. */
  version: string | null;
}

/** What a run is given, checked. */
export interface PreparedRun extends Crew {
  inputs: Record<string, unknown>;
  subject: string | null;
}

export interface CrewsParts {
  crews: CrewsRepository;
  access: AccessService;
  changes: ChangesService;
  validators: SchemaValidators;
  /** Those that come along, by their ids. */
  shipped: readonly CrewDefinition[];
  read: ReadCrew;
  hashOf: (definition: CrewDefinition) => string;
}

const NEEDED = 'config.update' satisfies Entitlement;
/** Most crews of a DAO's own. */
const MOST_CREWS = 100;

/** Crews of a DAO: those that come along, and its own, which hide others of the same id. */
export class CrewsService {
  private readonly shipped: ReadonlyMap<string, Crew>;

  constructor(private readonly parts: CrewsParts) {
    const crews = parts.shipped.map((definition): [string, Crew] => [
      definition.id,
      { definition, hash: parts.hashOf(definition), version: null },
    ]);
    this.shipped = new Map(crews);
  }

  /** All crews by their ids. @throws AppError `RBAC_PERMISSION_DENIED` without `chat.read`, and those of access */
  async list(key: CallerKey, named: Named): Promise<Crew[]> {
    return this.of(await this.parts.access.require(key, named, 'chat.read'));
  }

  /** The crews that somebody may start. @throws AppError `STORE_UNAVAILABLE` */
  async open(acting: Acting): Promise<Crew[]> {
    const { entitlements } = acting.rights;
    const crews = await this.of(acting);
    return crews.filter(({ definition }) =>
      [entitlementToRun(definition.open_to_guests), ...requiredEntitlements(definition)].every((one) =>
        entitlements.includes(one),
      ),
    );
  }

  private async of({ daoId }: Acting): Promise<Crew[]> {
    const own = (await this.parts.crews.list(daoId)).map((crew): [string, Crew] => [crew.definition.id, crew]);
    return [...new Map([...this.shipped, ...own]).values()].toSorted((a, b) =>
      a.definition.id < b.definition.id ? -1 : 1,
    );
  }

  /** @throws AppError `CREW_NOT_FOUND`, and those of `list` */
  async get(key: CallerKey, named: Named, id: string): Promise<Crew> {
    const { daoId } = await this.parts.access.require(key, named, 'chat.read');
    return this.find(daoId, id);
  }

  /** @throws AppError `CREW_NOT_FOUND` */
  async find(daoId: string, id: string): Promise<Crew> {
    const crew = (await this.parts.crews.find(daoId, id)) ?? this.shipped.get(id);
    if (!crew) throw new AppError('CREW_NOT_FOUND');
    return crew;
  }

  /**
   * Creates or replaces a crew of the DAO's own. Runs that are under way keep the one that they began with.
   * @throws AppError `BODY_INVALID` with `problems`, `VERSION_CHANGED`, `RBAC_PERMISSION_DENIED` and those of access
   */
  async put(
    key: CallerKey,
    id: string,
    body: object,
    { expected, ...named }: Named & { expected?: Expected },
  ): Promise<Crew> {
    const acting = await this.parts.access.require(key, named, NEEDED);
    return this.parts.changes.within(acting, async ({ db, daoId, by, record, roles }) => {
      requireEntitlements(by, [NEEDED]);
      const definition = this.readAs(id, body, roles);
      const before = await findCrew(db, daoId, id);
      if (before) requireVersion(before.version, expected);
      else if (expected) throw new AppError('VERSION_CHANGED', undefined, { version: null });
      if (!before && (await countCrews(db, daoId)) >= MOST_CREWS) {
        throw new AppError('BODY_INVALID', `A DAO has at most ${MOST_CREWS} crews of its own.`);
      }
      const hash = this.parts.hashOf(definition);
      const detail = { hash, ...(before && { before: before.hash }) };
      const who = await record({ actor: by.actor, action: 'crew.put', subject: id, detail });
      return putCrew(db, daoId, { definition, hash, by: who });
    });
  }

  /**
   * Deletes a crew of the DAO's own; one of the same id that comes along is there again.
   * @throws AppError `CREW_NOT_FOUND`, `VERSION_CHANGED`, `RBAC_PERMISSION_DENIED` and those of access
   */
  async delete(key: CallerKey, id: string, { expected, ...named }: Named & { expected?: Expected }): Promise<void> {
    const acting = await this.parts.access.require(key, named, NEEDED);
    await this.parts.changes.within(acting, async ({ db, daoId, by, record }) => {
      requireEntitlements(by, [NEEDED]);
      const crew = await findCrew(db, daoId, id);
      if (!crew) throw new AppError('CREW_NOT_FOUND', 'This DAO has no crew of its own of this id.');
      requireVersion(crew.version, expected);
      await deleteCrew(db, daoId, id);
      await record({ actor: by.actor, action: 'crew.delete', subject: id, detail: { hash: crew.hash } });
    });
  }

  /**
   * What a run is given, once it fits; what the crew says is kept for it.
   * @param text what was asked in words, for crews that take it
   * @throws AppError `CREW_INPUTS_INVALID`, `RBAC_PERMISSION_DENIED`
   */
  async prepare(
    acting: Acting,
    crew: Crew,
    given: Readonly<Record<string, unknown>>,
    text: string,
  ): Promise<PreparedRun> {
    const { definition } = crew;
    await this.requireTools(acting, definition);
    const inputs = withText(definition, given, text);
    const subject = await this.subjectOf(acting, definition, inputs);
    const named = definition.subject === undefined ? {} : { [definition.subject]: subject };
    const problems = this.parts.validators.of(definition.inputs)({ ...inputs, ...named }, 'inputs');
    if (problems.length > 0) throw new AppError('CREW_INPUTS_INVALID', undefined, { problems });
    return { ...crew, inputs: { ...inputs, ...named }, subject };
  }

  /** Keeps what a crew says for a run that is about to begin. */
  keep(daoId: string, { hash, definition }: Crew): Promise<void> {
    return this.parts.crews.keepVersion(daoId, hash, definition);
  }

  private readAs(id: string, body: object, roles: readonly { name: string }[]): CrewDefinition {
    const read = this.parts.read({ ...body, id }, { roles: roles.map(({ name }) => name) });
    if ('definition' in read) return read.definition;
    const [first] = read.problems;
    throw new AppError('BODY_INVALID', `${first?.path}: ${first?.message}`, { problems: read.problems });
  }

  /** A crew that reads something first whatever happens needs somebody who may. */
  private async requireTools(acting: Acting, definition: CrewDefinition): Promise<void> {
    const missing = requiredEntitlements(definition).find((one) => !acting.rights.entitlements.includes(one));
    if (missing === undefined) return;
    const detail = { required_entitlement: missing, roles: acting.rights.roles };
    await this.parts.access.denied(acting, detail);
    throw new AppError('RBAC_PERMISSION_DENIED', undefined, detail);
  }

  /** Whom a run is about: whoever starts it, unless somebody who may invite names another. */
  private async subjectOf(
    acting: Acting,
    { subject }: CrewDefinition,
    inputs: Readonly<Record<string, unknown>>,
  ): Promise<string | null> {
    if (subject === undefined) return null;
    const named = inputs[subject];
    if (named === undefined || named === acting.actor) return acting.actor;
    if (typeof named !== 'string') {
      throw new AppError('CREW_INPUTS_INVALID', undefined, { problems: [`${subject} must be a text`] });
    }
    const needed = 'member.invite' satisfies Entitlement;
    if (acting.rights.entitlements.includes(needed)) return named;
    const detail = { required_entitlement: needed, roles: acting.rights.roles };
    await this.parts.access.denied(acting, detail);
    throw new AppError('RBAC_PERMISSION_DENIED', 'Only whoever may invite starts it about somebody else.', detail);
  }
}

function withText(
  { text_input: name }: CrewDefinition,
  inputs: Readonly<Record<string, unknown>>,
  text: string,
): Record<string, unknown> {
  if (name === undefined || text.trim() === '' || Object.hasOwn(inputs, name)) return { ...inputs };
  return { ...inputs, [name]: text };
}
