import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { packagePath } from '../../../../config/paths.js';
import type { TestCase } from '../../../contracts/devtools.js';
import { parseCargo } from './cargo.js';
import { goText, parseGo } from './go.js';
import { parseJest } from './jest.js';
import { parseJunit } from './junit.js';
import { testCase } from './report.js';

/** What the real programs wrote about small projects: see test/toolchains. */
const recorded = (name: string): string => readFileSync(packagePath('test', 'fixtures', 'devtools', name), 'utf8');
const short = (path: string): string => path.replace('/workspace/', '');
const outline = (tests: readonly TestCase[]): string[] =>
  tests.map(({ status, name, file }) => [status, name, file].filter(Boolean).join(' | '));
const messageOf = (tests: readonly TestCase[], name: string): string | undefined =>
  tests.find((test) => test.name === name)?.message;

describe('parseJest', () => {
  it('should read what jest wrote, with a file that could not be loaded', () => {
    const tests = parseJest(recorded('jest.json'), short);
    expect(outline(tests).toSorted()).toEqual([
      'failed | jest/broken.test.js | jest/broken.test.js',
      'failed | sums fails | jest/sum.test.js',
      'passed | sums adds | jest/sum.test.js',
      'skipped | sums later | jest/sum.test.js',
    ]);
    expect(messageOf(tests, 'sums fails')).toContain('Expected: 3\nReceived: 2');
    expect(messageOf(tests, 'jest/broken.test.js')).toContain("Cannot find module './nowhere'");
  });

  it.each([undefined, '', 'null', '[]', '{"testResults":3}', '{"testResults":[', recorded('jest.json').slice(0, -20)])(
    'should find nothing in a report that is none: %#',
    (text) => {
      expect(parseJest(text, short)).toEqual([]);
    },
  );

  it('should take nothing in a report for granted', () => {
    const odd = [
      null,
      3,
      { assertionResults: [null, { fullName: 7, status: 'odd', duration: 'x', failureMessages: {} }] },
    ];
    expect(outline(parseJest(JSON.stringify({ testResults: odd }), short))).toEqual([
      'skipped | (no name)',
      'skipped | (no name)',
    ]);
  });
});

describe('parseJunit', () => {
  it('should read what pytest wrote', async () => {
    const tests = await parseJunit(recorded('pytest.xml'), (path) => `pytest/${path}`);
    expect(outline(tests).toSorted()).toEqual([
      'failed | test_broken | pytest/test_broken.py',
      'failed | test_sum test_error | pytest/test_sum.py',
      'failed | test_sum.TestSum test_param[2] | pytest/test_sum.py',
      'passed | test_sum.TestSum test_adds | pytest/test_sum.py',
      'passed | test_sum.TestSum test_param[1] | pytest/test_sum.py',
      'skipped | test_sum test_skipped | pytest/test_sum.py',
    ]);
    expect(messageOf(tests, 'test_sum.TestSum test_param[2]')).toContain('AssertionError: x is <2> & not 1');
  });

  it('should read what Node wrote', async () => {
    const tests = await parseJunit(recorded('node.xml'), short);
    expect(outline(tests).toSorted()).toEqual([
      'failed | broken.test.js | node/broken.test.js',
      'failed | sums.deeper fails with <signs> & "quotes" | node/sum.test.js',
      'passed | on the top | node/sum.test.js',
      'passed | sums adds | node/sum.test.js',
      'skipped | sums later | node/sum.test.js',
      'skipped | to do | node/sum.test.js',
    ]);
  });

  it('should give the whole tests of a report that was cut off', async () => {
    const text = recorded('pytest.xml');
    const last = text.lastIndexOf('<testcase');
    for (const end of [last, last + 20, last + 60]) {
      expect(outline(await parseJunit(text.slice(0, end), short)).length).toBeGreaterThanOrEqual(5);
    }
  });

  it('should unfold no entities of the report', async () => {
    const bomb = '<!DOCTYPE x [<!ENTITY a "bbbbbbbb"><!ENTITY c "&a;&a;&a;">]>';
    const tests = await parseJunit(`${bomb}<testsuite><testcase name="&c; &lt;&#65;&#x42;&gt;"/></testsuite>`, short);
    expect(outline(tests)).toEqual(['passed | &c; <AB>']);
  });

  it('should let others run while it reads a large report', async () => {
    const one = '<testcase classname="a" name="b" time="0.1"><failure message="c">d</failure></testcase>';
    const text = `<testsuites><testsuite name="x">${one.repeat(30_000)}</testsuite></testsuites>`;
    let turns = 0;
    const timer = setInterval(() => (turns += 1), 0);
    const tests = await parseJunit(text, short);
    clearInterval(timer);
    expect(tests).toHaveLength(30_000);
    expect(turns).toBeGreaterThan(5);
  });

  it('should read no more than so many tests', async () => {
    expect(await parseJunit('<testcase name="a"/>'.repeat(60_000), short)).toHaveLength(50_000);
  });

  it.each([undefined, '', 'rubbish', '<testcase', '<testcase name="a" <<<', '<testsuites></x>', '<![CDATA[<testcase '])(
    'should not fail on a report that is none: %#',
    async (text) => {
      expect((await parseJunit(text, short)).length).toBeLessThanOrEqual(1);
    },
  );
});

describe('parseGo', () => {
  it('should read what go wrote, with a package that could not be built', () => {
    const tests = parseGo(recorded('go.jsonl'));
    expect(outline(tests).toSorted()).toEqual([
      'failed | example.com/m.TestFails',
      'failed | example.com/m.TestFails/inner',
      'failed | example.com/m/bad',
      'passed | example.com/m.TestAdds',
      'passed | example.com/m/sub.TestFine',
      'skipped | example.com/m.TestSkipped',
    ]);
    expect(messageOf(tests, 'example.com/m.TestFails/inner')).toContain('want 3');
    expect(messageOf(tests, 'example.com/m/bad')).toContain('undefined: nowhere');
  });

  it('should take a test that began and did not end for a failed one', () => {
    const text = [
      '{"Action":"run","Package":"p","Test":"TestHangs"}',
      '{"Action":"output","Package":"p","Test":"TestHangs","Output":"waiting\\n"}',
      '{"Action":"pass","Pack',
    ].join('\n');
    expect(parseGo(text)).toEqual([{ name: 'p.TestHangs', status: 'failed', message: 'It did not end.\nwaiting' }]);
  });

  it('should tell a package that failed by none of its tests', () => {
    const text = [
      '{"Action":"pass","Package":"p","Test":"TestFine","Elapsed":0.5}',
      '{"Action":"output","Package":"p","Output":"exit status 3\\n"}',
      '{"Action":"fail","Package":"p","Elapsed":1}',
    ].join('\n');
    expect(parseGo(text)).toEqual([
      { name: 'p.TestFine', status: 'passed', ms: 500 },
      { name: 'p', status: 'failed', ms: 1_000, message: 'exit status 3' },
    ]);
  });

  it.each(['', 'rubbish', '{', 'null', '{"Action":3}', '{"Action":"pass"}'])('should find nothing in %j', (text) => {
    expect(parseGo(text).filter(({ status }) => status === 'failed')).toEqual([]);
  });

  it('should give what people read', () => {
    expect(goText('{"Action":"output","Output":"ok\\n"}')).toBe('ok\n');
    expect(goText('{"Action":"run"}')).toBe('');
    expect(goText('go: no such module')).toBe('go: no such module\n');
  });
});

describe('parseCargo', () => {
  it('should read what cargo wrote, with the files that the tests are in', () => {
    const tests = parseCargo(recorded('cargo.txt'));
    expect(outline(tests).toSorted()).toEqual([
      'failed | tests::fails | src/lib.rs',
      'passed | outer | tests/outer.rs',
      'passed | src/lib.rs - add (line 3) | src/lib.rs',
      'passed | tests::adds | src/lib.rs',
      'passed | tests::panics | src/lib.rs',
      'skipped | tests::skipped | src/lib.rs',
    ]);
    expect(messageOf(tests, 'tests::fails')).toMatch(/^seen before[^]*left: 2\n right: 3/);
  });

  it.each(['', 'error: could not compile `m`', 'test', '---- x stdout ----'])('should find nothing in %j', (text) => {
    expect(parseCargo(text)).toEqual([]);
  });
});

describe('testCase', () => {
  it('should leave out the middle of a long message', () => {
    const { message = '' } = testCase({ name: 'a', status: 'failed', message: `begin${'é'.repeat(9_000)}end` });
    expect(message).toMatch(/^begin[^]*\n\[…\]\n[^]*end$/);
    expect(Buffer.byteLength(message)).toBeLessThanOrEqual(4_096);
  });

  it('should leave out colours and other control characters', () => {
    expect(testCase({ name: '\x1b[31ma\x07', status: 'failed', message: '\x1b[1mb\x1b[0m' })).toEqual({
      name: 'a',
      status: 'failed',
      message: 'b',
    });
  });
});
