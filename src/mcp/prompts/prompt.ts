import type { PromptMessage } from '@modelcontextprotocol/server';
import type { Acting } from '../../services/access.service.js';
import type { CrewsService } from '../../services/crews.service.js';
import type { KnownAddress, ResourcesParts } from '../resources/resources.js';
import { Resources } from '../resources/resources.js';
import { uriOf } from '../resources/address.js';
import { JSON_TYPE } from '../resources/media-types.js';
import type { FileReader } from '../resources/workspace.js';

/** What prompts are made of. */
export interface PromptParts extends ResourcesParts {
  crews: CrewsService;
}

/** Who asks for a prompt, or for what an argument of one may be, and where. */
export interface Asking {
  parts: PromptParts;
  reader: FileReader;
  acting: Acting;
}

/** What an argument may be, as far as it is written. */
export type Completer = (asking: Asking, written: string) => Promise<string[]>;

/** An argument of a prompt: clients send texts alone. */
export interface PromptArgument {
  description: string;
  required: boolean;
  /** Most characters. */
  longest: number;
  /** What it must look like, and how that is told. */
  form?: { pattern: RegExp; told: string };
  complete?: Completer;
}

/** Arguments as they were given: what is required is there. */
export type Given = Readonly<Record<string, string | undefined>>;

/** A prompt as clients see it, and the text that it makes. */
export interface McpPrompt {
  name: string;
  title: string;
  description: string;
  args: Readonly<Record<string, PromptArgument>>;
  messages: (asking: Asking, given: Given) => Promise<PromptMessage[]>;
}

export const says = (...lines: string[]): PromptMessage => ({
  role: 'user',
  content: { type: 'text', text: lines.join('\n') },
});

/** Something of the DAO as it is now, within a prompt. @throws AppError those of the services */
export async function embedded({ parts, reader }: Asking, address: KnownAddress): Promise<PromptMessage> {
  const text = JSON.stringify(await new Resources(parts).known(reader, address), undefined, 1);
  return {
    role: 'user',
    content: { type: 'resource', resource: { uri: uriOf(address), mimeType: JSON_TYPE, text } },
  };
}
