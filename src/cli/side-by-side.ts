const GAP = ' │ ';
/** Narrower columns are hard to read: then one text stands below the other. */
const NARROWEST = 40;

/** A text with a heading of a few lines. */
export interface Column {
  heading: readonly string[];
  text: string;
}

/** Breaks a text into lines of at most this many characters, between words where that is possible. */
export function wrap(text: string, width: number): string[] {
  return text.split('\n').flatMap((line) => {
    const lines: string[] = [];
    let rest = line;
    while (rest.length > width) {
      const space = rest.lastIndexOf(' ', width);
      const end = space > 0 ? space : width;
      lines.push(rest.slice(0, end));
      rest = rest.slice(space > 0 ? end + 1 : end);
    }
    return [...lines, rest];
  });
}

/** Two texts beside each other on a wide terminal, else one below the other. */
export function sideBySide(left: Column, right: Column, width: number): string {
  const half = Math.floor((width - GAP.length) / 2);
  if (half < NARROWEST) return [left, right].map((one) => `${[...one.heading, '', one.text].join('\n')}\n`).join('\n');
  const lines = ({ heading, text }: Column): string[] => [
    ...heading.flatMap((line) => wrap(line, half)),
    '',
    ...wrap(text, half),
  ];
  const [a, b] = [lines(left), lines(right)];
  const rows = Array.from({ length: Math.max(a.length, b.length) }, (_, row) =>
    ((a[row] ?? '').padEnd(half) + GAP + (b[row] ?? '')).trimEnd(),
  );
  return `${rows.join('\n')}\n`;
}
