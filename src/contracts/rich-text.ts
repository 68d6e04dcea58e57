/** Where a mark stands in a text: both in UTF-16 units. */
interface Span {
  at: number;
  length: number;
}

/** What a stretch of a text is. Marks of one text are nested in each other or apart, never crossed. */
export type Mark = Span &
  (
    | { kind: 'bold' | 'italic' | 'strike' | 'code' | 'quote' }
    /** A block of code, whole lines. */
    | { kind: 'pre'; language?: string }
    | { kind: 'link'; url: string }
  );

/** What a message says, however a platform writes it. */
export interface RichText {
  text: string;
  marks: readonly Mark[];
}

/** A text without marks. */
export const plainText = (text: string): RichText => ({ text, marks: [] });
