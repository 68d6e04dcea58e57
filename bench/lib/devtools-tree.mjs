import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const folderName = (index) => `pkg-${String(index).padStart(4, '0')}`;
export const fileName = (index) => `file-${String(index).padStart(3, '0')}.${index % 4 === 0 ? 'ts' : 'txt'}`;

/** Text of a file: some lines that are all different. */
export const textOf = (folder, file) =>
  Array.from({ length: 20 }, (_, line) => `folder ${folder}, file ${file}, line ${line}\n`).join('');

/** Waits until what was just written is on the disk: the kernel takes a core for that, which is no part of any tool. */
export const settle = () => execFileSync('sync');

/** A tree of files, in folders of one level. */
export function plantTree(root, folders, files) {
  for (let folder = 0; folder < folders; folder += 1) {
    const path = join(root, folderName(folder));
    mkdirSync(path);
    for (let file = 0; file < files; file += 1) writeFileSync(join(path, fileName(file)), textOf(folder, file));
  }
  settle();
}
