/** What an attacker wants of the model, under the id that stands in the attack's text. */
export interface Wish {
  /** Uses of tools, allowed or not, there or not. */
  calls: { name: string; arguments: Record<string, unknown> }[];
  /** What is to stand in answers. `{mark}`, `{prompt}` and `{told}` are replaced with what the model was told. */
  says: string;
  /** Never answers, but goes on with the calls as long as it is asked. */
  endless?: boolean;
}

export type Wishes = Readonly<Record<string, Wish>>;
