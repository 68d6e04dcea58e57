import type { Operation } from './api.js';
import { publicKeyOf } from './keys.js';
import {
  acknowledged,
  anotherApplication,
  badForm,
  deadToken,
  emptyMessage,
  missingAccess,
  unknownChannel,
  unknownInteraction,
  unknownMessage,
  unknownWebhook,
} from './refusal.js';
import type { FakeDiscordSettings } from './settings.js';
import type { Channel, RegisteredCommand, SentInteraction, ToldMessage, Version, World } from './world.js';

const LONGEST = 2_000;
const EPHEMERAL = 64;

export type Body = Readonly<Record<string, unknown>>;

/** All that there is, for calls of the application. */
export interface Scene {
  world: World;
  settings: () => FakeDiscordSettings;
  now: () => number;
  /** Takes down what no application should do, though Discord would let it pass. */
  blame(what: string): void;
}

type Perform = (scene: Scene, params: Operation['params'], body: unknown) => unknown;

/** A message as Discord tells of it. */
const shown = ({ id, channel, versions, isDeferred, nonce }: ToldMessage): object => ({
  ...{ id, channel_id: channel, type: 0, flags: isDeferred ? 128 : (versions.at(-1)?.flags ?? 0) },
  ...{ content: versions.at(-1)?.content ?? '', components: versions.at(-1)?.components ?? [] },
  ...(nonce !== undefined && { nonce }),
});

/** What a body makes a message say. @throws DiscordRefusal where it cannot say that */
export function saidIn({ blame }: Pick<Scene, 'blame'>, body: Body, isNew: boolean): Partial<Omit<Version, 'at'>> {
  const { content, components, flags } = body;
  if (content === '' || (isNew && typeof content !== 'string')) throw emptyMessage();
  if (typeof content === 'string' && content.length > LONGEST) {
    throw badForm('content: Must be 2000 or fewer in length.');
  }
  const rows = rowsIn(components);
  if (content !== undefined && mayPing(body)) blame('a message may ping people: allowed_mentions is not {parse: []}');
  return {
    ...(typeof content === 'string' && { content }),
    ...(components !== undefined && { components: rows }),
    ...(typeof flags === 'number' && { flags }),
  };
}

const mayPing = ({ allowed_mentions: mentions }: Body): boolean =>
  (mentions as { parse?: unknown[] } | undefined)?.parse?.length !== 0;

/** The form of components is checked by the schema; that they fit together is not. */
function rowsIn(components: unknown): object[] {
  const rows = (components ?? []) as { components?: { custom_id?: string }[] }[];
  const ids = rows.flatMap((row) => (row.components ?? []).map(({ custom_id: id }) => id));
  if (rows.length > 5) throw badForm('components: Must be 5 or fewer in length.');
  if (new Set(ids).size < ids.length) throw badForm('components: Component custom id cannot be duplicated');
  return rows;
}

/** @throws DiscordRefusal where the token opens nothing */
function interactionOf(
  { world, settings, now }: Scene,
  { webhook_id: id, webhook_token: token }: Operation['params'],
): SentInteraction {
  const interaction = world.interactions.get(token ?? '');
  if (!interaction || id !== settings().applicationId || interaction.isFailed) throw unknownWebhook();
  if (now() > interaction.at + settings().tokenLifeMs) throw deadToken();
  if (interaction.heardAt === undefined || now() < interaction.heardAt) throw unknownWebhook();
  return interaction;
}

/** @throws DiscordRefusal where it is not there, or is no answer to this interaction */
function answerOf(scene: Scene, params: Operation['params']): ToldMessage {
  const interaction = interactionOf(scene, params);
  const { message_id: id = '@original' } = params;
  const message = scene.world.anywhere(id === '@original' ? (interaction.original ?? '') : id);
  const isOwn = message && (message.id === interaction.original || message.interaction === interaction.id);
  if (!isOwn) throw unknownMessage();
  return message;
}

const getAnswer: Perform = (scene, params) => shown(answerOf(scene, params));

const editAnswer: Perform = (scene, params, body) => {
  const message = answerOf(scene, params);
  scene.world.change(message, saidIn(scene, body as Body, false));
  return shown(message);
};

const deleteAnswer: Perform = (scene, params) => {
  answerOf(scene, params).deletedAt = scene.now();
};

const followUp: Perform = (scene, params, body) => {
  const interaction = interactionOf(scene, params);
  const original = scene.world.anywhere(interaction.original ?? '');
  if (original?.isDeferred) return editAnswer(scene, { ...params, message_id: '@original' }, body);
  const said = saidIn(scene, body as Body, true);
  const isAlone = ((said.flags ?? 0) & EPHEMERAL) !== 0;
  const { world } = scene;
  const about = { by: 'interaction', interaction: interaction.id, isDeferred: false } as const;
  const message = world.add(
    interaction.channel,
    { ...about, ...(isAlone && { onlyFor: interaction.user }) },
    { content: '', components: [], flags: 0, ...said },
  );
  return shown(message);
};

/** @throws DiscordRefusal where the bot is not */
function channelOf({ world }: Scene, { channel_id: id = '' }: Operation['params']): Channel {
  const channel = world.channels.get(id);
  if (!channel) throw unknownChannel();
  if (!channel.isBotHere) throw missingAccess();
  return channel;
}

/** A message of the bot's. What one person alone sees is not in the channel. */
function messageOf(scene: Scene, params: Operation['params']): ToldMessage {
  const channel = channelOf(scene, params);
  const message = scene.world.message(channel.id, params.message_id ?? '');
  if (!message || message.onlyFor !== undefined) throw unknownMessage();
  return message;
}

const send: Perform = (scene, params, body) => {
  const channel = channelOf(scene, params);
  const { nonce, enforce_nonce: isEnforced } = body as Body;
  const said = saidIn(scene, body as Body, true);
  if (((said.flags ?? 0) & EPHEMERAL) !== 0)
    throw badForm('flags: Only an interaction is answered to one person alone.');
  const known = typeof nonce === 'string' && isEnforced === true ? scene.world.withNonce(channel.id, nonce) : undefined;
  if (known) return shown(known);
  const about = { by: 'bot', isDeferred: false, ...(typeof nonce === 'string' && { nonce }) } as const;
  return shown(scene.world.add(channel.id, about, { content: '', components: [], flags: 0, ...said }));
};

const edit: Perform = (scene, params, body) => {
  const message = messageOf(scene, params);
  scene.world.change(message, saidIn(scene, body as Body, false));
  return shown(message);
};

/** The answer to an interaction by a call of its own. */
const callback: Perform = ({ world }, { interaction_id: id, interaction_token: token }) => {
  const interaction = world.interactions.get(token ?? '');
  if (!interaction || interaction.id !== id) throw unknownInteraction();
  throw interaction.heardAt === undefined ? unknownInteraction() : acknowledged();
};

/** The application of the bot, as far as it is asked about. Its endpoint is what its owner set. */
const myApplication: Perform = ({ settings }) => {
  const { applicationId: id, keySeed, interactionsUrl } = settings();
  return {
    ...{ id, name: 'DAGI', icon: null, description: '', summary: '', bot_public: true, bot_require_code_grant: false },
    ...{ verify_key: publicKeyOf(keySeed), flags: 0, interactions_endpoint_url: interactionsUrl || null },
  };
};

const listed = (commands: readonly RegisteredCommand[] | undefined): object[] =>
  (commands ?? []).map(({ id, version, definition }) => ({ ...definition, id, version }));

const commands: Perform = ({ world, settings }, { application_id: id, guild_id: guild = '' }) => {
  checkApplication(settings(), id);
  return listed(world.commands.get(guild));
};

function checkApplication({ applicationId }: FakeDiscordSettings, id: string | undefined): void {
  if (id !== applicationId) throw anotherApplication();
}

/** All commands are replaced; one that is the same keeps its id and its version. */
const putCommands: Perform = ({ world, settings }, { application_id: id, guild_id: guild = '' }, body) => {
  checkApplication(settings(), id);
  const before = world.commands.get(guild) ?? [];
  const definitions = body as { name: string; description?: string; options?: { required?: boolean }[] }[];
  const names = definitions.map(({ name }) => name);
  if (new Set(names).size < names.length) throw badForm('name: Application command names must be unique');
  const after = definitions.map((definition): RegisteredCommand => {
    checkCommand(definition);
    const known = before.find(({ name }) => name === definition.name);
    const isSame = JSON.stringify(known?.definition) === JSON.stringify(definition);
    const { name } = definition;
    return known && isSame ? known : { id: known?.id ?? world.newId(), name, version: world.newId(), definition };
  });
  world.commands.set(guild, after);
  return listed(after);
};

/** What the schema does not say of commands. */
function checkCommand({
  name,
  description = '',
  options = [],
}: {
  name: string;
  description?: string;
  options?: { required?: boolean }[];
}): void {
  if (!/^[-_'\p{L}\p{N}]{1,32}$/u.test(name) || name !== name.toLowerCase()) throw badForm(`name: ${name}`);
  if (description === '') throw badForm(`description of ${name}: This field is required`);
  const firstOptional = options.findIndex(({ required }) => required !== true);
  if (firstOptional >= 0 && options.slice(firstOptional).some(({ required }) => required === true)) {
    throw badForm(`options of ${name}: Required options must be placed before non-required options`);
  }
}

const OPERATIONS: Readonly<Record<string, Perform>> = {
  create_interaction_response: callback,
  execute_webhook: followUp,
  get_original_webhook_message: getAnswer,
  update_original_webhook_message: editAnswer,
  delete_original_webhook_message: deleteAnswer,
  get_webhook_message: getAnswer,
  update_webhook_message: editAnswer,
  delete_webhook_message: deleteAnswer,
  create_message: send,
  get_message: (scene, params) => shown(messageOf(scene, params)),
  update_message: edit,
  delete_message: (scene, params) => {
    messageOf(scene, params).deletedAt = scene.now();
  },
  trigger_typing_indicator: (scene, params) => {
    channelOf(scene, params).typing.push(scene.now());
  },
  get_my_application: myApplication,
  list_application_commands: commands,
  bulk_set_application_commands: putCommands,
  list_guild_application_commands: commands,
  bulk_set_guild_application_commands: putCommands,
};

/** Does what a call asks for. Undefined: there is nothing to tell. @throws DiscordRefusal */
export function perform(scene: Scene, { id, params }: Operation, body: unknown): unknown {
  const operation = OPERATIONS[id];
  if (!operation) throw new Error(`the fake does not know ${id}`);
  return operation(scene, params, body);
}
