import type { Command, Commands } from './commands.js';
import type { Faults } from './faults.js';
import type { Floods } from './floods.js';
import * as happenings from './happenings.js';
import { found, told } from './observations.js';
import type { Observations } from './observations.js';
import type { Scene } from './scene.js';
import type { SettingsChange } from './settings.js';
import type { Watcher } from './watcher.js';

/** What control reaches beside the scene. */
export interface Controlled {
  scene: Scene;
  faults: Faults;
  floods: Floods;
  seen: Observations;
  watcher: Watcher;
  change(settings: SettingsChange): void;
}

type Handlers = {
  [C in Command]: (fake: Controlled, input: Commands[C]['in']) => Commands[C]['out'] | Promise<Commands[C]['out']>;
};

const violationsOf = ({ seen, floods, scene }: Controlled): string[] => [
  ...seen.violations,
  ...floods.early.map(({ method, chat, ms }) => `${method} in ${chat}: ${Math.ceil(ms)} ms before its time`),
  ...scene.webhook.deliveries
    .filter(({ status, body }) => status >= 200 && status < 300 && body !== '')
    .map(({ update }) => `the webhook answered the update ${update} with a body`),
];

function group({ scene }: Controlled, input: Commands['group']['in']): Commands['group']['out'] {
  const chat = happenings.group(scene, input);
  return { id: chat.id, topics: Object.fromEntries([...(chat.topics ?? [])].map(([id, name]) => [name, id])) };
}

/** A deed with nothing to give back. */
const deed =
  <I>(happen: (scene: Scene, input: I) => void) =>
  ({ scene }: Controlled, input: I): null => {
    happen(scene, input);
    return null;
  };

const HANDLERS: Handlers = {
  person: ({ scene }, facts) => {
    scene.world.addPerson({ is_bot: false, first_name: `Person ${facts.id}`, ...facts });
    return null;
  },
  group,
  bot: deed((scene, input: Commands['bot']['in']) => happenings.moveBot(scene, input, input.status)),
  write: ({ scene }, input) => happenings.write(scene, input),
  rewrite: deed(happenings.rewrite),
  photo: ({ scene }, input) => happenings.photo(scene, input),
  press: ({ scene }, input) => happenings.press(scene, input),
  react: deed(happenings.react),
  erase: deed(happenings.erase),
  block: deed(happenings.block),
  migrate: ({ scene }, input) => happenings.migrate(scene, input),
  put: ({ scene }, { update, chat }) => {
    scene.queue.put(update, chat);
    return null;
  },
  set: (fake, settings) => {
    fake.change(settings);
    return null;
  },
  fail: ({ faults }, input) => {
    faults.plan(...input.faults);
    return null;
  },
  spoil: ({ scene }, input) => {
    scene.queue.planned.push(...input.faults);
    return null;
  },
  reset: ({ faults, floods, seen, scene }) => {
    faults.reset();
    seen.reset();
    floods.early = [];
    scene.queue.planned.length = 0;
    scene.webhook.deliveries = [];
    return null;
  },
  transcript: ({ scene }, { chat }) => [...scene.world.chat(chat).messages.values()],
  typing: ({ scene }, { chat }) => scene.world.chat(chat).typing,
  drafts: ({ scene }, { chat }) => scene.world.chat(chat).drafts,
  calls: ({ seen }, { method, chat }) =>
    seen.calls.filter((call) => (method ?? call.method) === call.method && (chat ?? call.chat) === call.chat),
  counts: ({ seen }) => seen.counts,
  violations: violationsOf,
  deliveries: ({ scene }) => scene.webhook.deliveries,
  wait: async ({ scene, seen, watcher }, { withinMs, ...wanted }) => {
    return watcher.until(
      () => found(scene, seen, wanted),
      () => told(scene, seen, wanted),
      withinMs,
    );
  },
};

export const isCommand = (name: string): name is Command => Object.hasOwn(HANDLERS, name);

/** Does what was asked. What comes out is a copy: nobody sees it change. */
export async function obey<C extends Command>(
  fake: Controlled,
  command: C,
  input: Commands[C]['in'],
): Promise<Commands[C]['out']> {
  const handler: Handlers[C] = HANDLERS[command];
  return structuredClone(await handler(fake, input));
}
