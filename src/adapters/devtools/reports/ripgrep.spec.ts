import { describe, expect, it } from '@jest/globals';
import { RipgrepReport } from './ripgrep.js';

const line = (type: 'match' | 'context', number: number, text: string, start = 0, path = './a.txt'): string =>
  `${JSON.stringify({
    type,
    data: { path: { text: path }, lines: { text: `${text}\n` }, line_number: number, submatches: [{ start }] },
  })}\n`;
const begin = (path = './a.txt'): string => `${JSON.stringify({ type: 'begin', data: { path: { text: path } } })}\n`;
const report = (limit = 10, context = 0, bytes = 10_000, folder = '.'): RipgrepReport =>
  new RipgrepReport(folder, limit, context, bytes);

describe(RipgrepReport.name, () => {
  it('should tell a match with its place, counted in characters from 1', () => {
    const reader = report(10, 0, 10_000, 'src/deep');
    reader.add(begin() + line('match', 7, 'größe = x', Buffer.byteLength('größe = ')));
    expect(reader.result(false)).toEqual({
      matches: [{ path: 'src/deep/a.txt', line: 7, column: 9, text: 'größe = x' }],
      truncated: false,
    });
  });

  it('should read a report that comes in pieces of any size', () => {
    const text = begin() + line('match', 1, 'one') + line('match', 2, 'two');
    const reader = report();
    for (const letter of text) reader.add(letter);
    expect(reader.result(false).matches.map((match) => match.text)).toEqual(['one', 'two']);
  });

  it('should give neighbours to the matches that they are near', () => {
    const reader = report(10, 1);
    reader.add(
      begin() + line('context', 1, 'a') + line('match', 2, 'x') + line('context', 3, 'b') + line('match', 4, 'x'),
    );
    reader.add(line('context', 5, 'c') + line('context', 9, 'd') + line('match', 10, 'x'));
    expect(reader.result(false).matches).toMatchObject([
      { line: 2, before: ['a'], after: ['b'] },
      { line: 4, before: ['b'], after: ['c'] },
      { line: 10, before: ['d'] },
    ]);
  });

  it('should keep the neighbours of files apart', () => {
    const reader = report(10, 1);
    reader.add(begin() + line('match', 1, 'x') + line('context', 2, 'a'));
    reader.add(begin('./b.txt') + line('context', 2, 'b') + line('match', 3, 'x', 0, './b.txt'));
    expect(reader.result(false).matches[1]).toMatchObject({ path: 'b.txt', before: ['b'] });
  });

  it('should stop once there is one more match than is wanted', () => {
    const reader = report(2);
    expect(reader.add(begin() + line('match', 1, 'x') + line('match', 2, 'x'))).toBe(false);
    expect(reader.add(line('match', 3, 'x'))).toBe(true);
    expect(reader.result(true)).toMatchObject({ matches: [{ line: 1 }, { line: 2 }], truncated: true });
  });

  it('should stop once the texts are too long together', () => {
    const reader = report(10, 0, 15);
    expect(reader.add(begin() + line('match', 1, '12345') + line('match', 2, '12345'))).toBe(true);
    expect(reader.result(false)).toMatchObject({ matches: [{ line: 1 }], truncated: true });
  });

  it('should read what is no UTF-8', () => {
    const data = { path: { bytes: Buffer.from('./é').toString('base64') }, line_number: 1, submatches: [{ start: 1 }] };
    const reader = report();
    const lines = { bytes: Buffer.from([0x61, 0xff, 0x62, 0x0a]).toString('base64') };
    reader.add(`${JSON.stringify({ type: 'match', data: { ...data, lines } })}\n`);
    expect(reader.result(false).matches).toEqual([{ path: 'é', line: 1, column: 2, text: 'a\uFFFDb' }]);
  });

  it('should leave out a line of the report that is endless, and say that something is missing', () => {
    const reader = report();
    reader.add(`${begin()}{"type":"match","data":{"lines":{"text":"`);
    for (let piece = 0; piece < 20; piece += 1) reader.add('x'.repeat(64 * 1024));
    reader.add(`"}}}\n${line('match', 2, 'found')}`);
    expect(reader.result(false)).toMatchObject({ matches: [{ text: 'found' }], truncated: true });
  });

  it('should shorten a long line', () => {
    const reader = report();
    reader.add(begin() + line('match', 1, 'x'.repeat(5_000)));
    expect(reader.result(false).matches[0]?.text).toHaveLength(1_000);
  });

  it('should pass over what is no JSON, or of no known kind', () => {
    const reader = report();
    reader.add('rubbish\nnull\n{"type":"match"}\n{"type":"summary","data":{}}\n{"type":"mat');
    expect(reader.result(false)).toEqual({ matches: [], truncated: false });
  });
});
