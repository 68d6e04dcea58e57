import { acting } from './draw.mjs';

const FILES = ['notes.txt', 'plans/may.txt', 'plans/june.txt', 'README.md'];
const FOLDERS = ['.', '.', '.', 'plans', 'notes.txt'];

/** A path: of a file that both DAOs may have, that leads to the other one, or to nowhere. */
const path = (draw) => (draw.chance(0.85) ? draw.of(FILES) : draw.of([`../${draw.state.other}/notes.txt`, 'none.txt']));
const folder = (draw) => (draw.chance(0.9) ? draw.of(FOLDERS) : `../${draw.state.other}`);

/** @returns {import('./draw.mjs').Operation} a tool with what it is asked */
const aTool = (tool, weight, params) => ({
  weight,
  make: (draw) => ({
    key: draw.key('contributor', 'contributor', 'admin', 'member', 'guest'),
    url: `/devtools/${tool}`,
    headers: draw.chance(0.1) ? { 'idempotency-key': `k${draw.below(5)}` } : {},
    body: { ...acting(draw), ...params(draw) },
  }),
  learn: (state, body) => body.request_id && state.learn('request', body.request_id),
});

/** A patch that makes a file, as long as there is none. */
const newFile = (draw) =>
  `--- /dev/null\n+++ b/patched-${draw.below(40)}.txt\n@@ -0,0 +1,1 @@\n+${draw.text('Something')}\n`;

/** Files, and programs that say what they were shown, by route. */
export const DEVTOOLS = {
  'POST /devtools/fs_write': aTool('fs_write', 4, (draw) => ({
    ...{ path: path(draw), content: `${draw.text('Written')}\n` },
    ...(draw.chance(0.2) && { expected_hash: null }),
  })),
  'POST /devtools/fs_read': aTool('fs_read', 4, (draw) => ({ path: path(draw), lines: draw.maybe(0.2, () => 1) })),
  'POST /devtools/fs_list': aTool('fs_list', 2, (draw) => ({
    path: folder(draw),
    depth: draw.maybe(0.5, () => 5),
    limit: draw.maybe(0.3, () => 2),
  })),
  'POST /devtools/fs_patch': aTool('fs_patch', 2, (draw) => ({ patch: newFile(draw) })),
  'POST /devtools/fs_diff': aTool('fs_diff', 1, (draw) => ({ path: path(draw), content: draw.text('Written') })),
  'POST /devtools/fs_search': aTool('fs_search', 2, (draw) => ({ pattern: draw.of(['Written', 'of', 'nobody']) })),
  'POST /devtools/run_tests': aTool('run_tests', 1, (draw) => ({ path: folder(draw) })),
  'POST /devtools/git_status': aTool('git_status', 0.5, (draw) => ({ path: folder(draw) })),
  'POST /devtools/git_diff': aTool('git_diff', 0.5, (draw) => ({ path: folder(draw) })),
  'POST /devtools/git_log': aTool('git_log', 0.5, (draw) => ({ path: folder(draw) })),
  'POST /devtools/notebook_execute': aTool('notebook_execute', 0.5, (draw) => ({ path: path(draw) })),
};
