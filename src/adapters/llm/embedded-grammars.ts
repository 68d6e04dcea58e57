import { LRUCache } from 'lru-cache';
import type { GbnfJsonObjectSchema, Llama, LlamaGrammar } from 'node-llama-cpp';
import { sha256 } from '../digest.js';
import type { GenerateMessage } from './embedded-protocol.js';

type Format = NonNullable<GenerateMessage['format']>;

/** The library cannot make a grammar of a schema. */
export class FormatRefused extends Error {}

/** Clients send the same few schemas again and again. */
const KEPT = 16;

/**
 * One JSON object, with an end to each text, list and object. The library's own grammar of JSON lets a small model fill
 * them until it is cut.
 */
const JSON_OBJECT = String.raw`
root ::= object
value ::= object | array | string | number | "true" | "false" | "null"
object ::= "{" ws ( key ":" ws value ( "," ws key ":" ws value ){0,15} ws )? "}"
array ::= "[" ws ( value ( "," ws value ){0,7} ws )? "]"
key ::= "\"" char{1,40} "\""
string ::= "\"" char{0,300} "\""
char ::= [^"\\\x7F\x00-\x1F] | "\\" ( ["\\/bfnrt] | "u" [0-9a-fA-F]{4} )
number ::= "-"? ( "0" | [1-9] [0-9]{0,15} ) ( "." [0-9]{1,16} )? ( [eE] [-+]? [0-9]{1,3} )?
ws ::= ( " " | "\n" " "{0,8} )?
`;

/** What holds answers to a form, made once for each. */
export class Grammars {
  private readonly made = new LRUCache<string, Promise<LlamaGrammar>>({ max: KEPT });

  constructor(private readonly llama: Llama) {}

  /** @throws FormatRefused */
  async of(format: Format): Promise<LlamaGrammar> {
    const key = sha256(JSON.stringify(format));
    const grammar = this.made.get(key) ?? this.make(format);
    this.made.set(key, grammar);
    return grammar;
  }

  private async make(format: Format): Promise<LlamaGrammar> {
    try {
      if (format.type === 'json') return await this.llama.createGrammar({ grammar: JSON_OBJECT });
      return await this.llama.createGrammarForJsonSchema(format.schema as GbnfJsonObjectSchema);
    } catch (cause) {
      throw new FormatRefused('no grammar', { cause });
    }
  }
}
