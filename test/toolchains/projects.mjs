/** A small project for each framework, each with tests that pass, fail and are skipped, and one that cannot be loaded. */
export const PROJECTS = {
  node: {
    expected: { passed: 2, failed: 2, skipped: 2 },
    files: {
      'package.json': '{"type":"module","scripts":{"test":"node --test"}}',
      'broken.test.js': "import './nowhere.js';",
      'sum.test.js': `import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
describe('sums', () => {
  it('adds', () => assert.equal(1 + 1, 2));
  describe('deeper', () => {
    it('fails with <signs> & "quotes"', () => assert.equal(1 + 1, 3));
  });
  it.skip('later', () => {});
});
test('on the top', () => {});
test.todo('to do');
`,
    },
  },
  jest: {
    expected: { passed: 1, failed: 2, skipped: 1 },
    packages: true,
    files: {
      'package.json': '{"devDependencies":{"jest":"*"}}',
      'broken.test.js': "require('./nowhere');",
      'sum.test.js': `describe('sums', () => {
  it('adds', () => expect(1 + 1).toBe(2));
  it('fails', () => expect(1 + 1).toBe(3));
  it.skip('later', () => {});
});
`,
    },
  },
  pytest: {
    expected: { passed: 2, failed: 3, skipped: 1 },
    files: {
      'test_broken.py': 'import nowhere_at_all\n',
      'test_sum.py': `import pytest

class TestSum:
    def test_adds(self):
        assert 1 + 1 == 2

    @pytest.mark.parametrize("x", [1, 2])
    def test_param(self, x):
        assert x == 1, "x is <%s> & not 1" % x

def test_error(nowhere):
    pass

@pytest.mark.skip(reason="later")
def test_skipped():
    pass
`,
    },
  },
  go: {
    expected: { passed: 2, failed: 3, skipped: 1 },
    files: {
      'go.mod': 'module example.com/m\n\ngo 1.20\n',
      'sum_test.go': `package m

import "testing"

func TestAdds(t *testing.T) {
	if 1+1 != 2 {
		t.Fatal("no")
	}
}

func TestFails(t *testing.T) {
	t.Run("inner", func(t *testing.T) { t.Errorf("want %d", 3) })
}

func TestSkipped(t *testing.T) { t.Skip("later") }
`,
      'sub/sub_test.go': 'package sub\n\nimport "testing"\n\nfunc TestFine(t *testing.T) {}\n',
      'bad/bad_test.go': 'package bad\n\nimport "testing"\n\nfunc TestFine(t *testing.T) { nowhere() }\n',
    },
  },
  cargo: {
    expected: { passed: 4, failed: 1, skipped: 1 },
    files: {
      'Cargo.toml': '[package]\nname = "m"\nversion = "0.1.0"\nedition = "2021"\n',
      'tests/outer.rs': '#[test]\nfn outer() {\n    assert!(m::add(0, 0) == 0);\n}\n',
      'src/lib.rs': `/// Adds.
///
/// \`\`\`
/// assert_eq!(m::add(1, 1), 2);
/// \`\`\`
pub fn add(a: i32, b: i32) -> i32 {
    a + b
}

#[cfg(test)]
mod tests {
    #[test]
    fn adds() {
        assert_eq!(super::add(1, 1), 2);
    }

    #[test]
    fn fails() {
        println!("seen before");
        assert_eq!(super::add(1, 1), 3);
    }

    #[test]
    #[ignore = "later"]
    fn skipped() {}

    #[test]
    #[should_panic]
    fn panics() {
        panic!("as it should");
    }
}
`,
    },
  },
};
