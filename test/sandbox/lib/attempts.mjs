// What a hostile program may try. Each entry is run in the sandbox; `refused` is what it has to print or how it has to
// end. One that gets what it wants prints ESCAPED. Whether the host was harmed is looked at from outside, after each.
import { BOUNDS } from './attempts-bounds.mjs';
import { KERNEL } from './attempts-kernel.mjs';
import { python } from './python.mjs';

const FILES = [
  { name: 'read a file outside by its path', sh: 'cat "$OUTSIDE"', refused: /No such file/ },
  { name: 'read a file outside by ..', sh: 'cat "/workspace/../../../..$OUTSIDE"', refused: /No such file/ },
  { name: 'follow a link that leads out', sh: 'cat leak', refused: /No such file/ },
  { name: 'follow a folder link that leads out', sh: 'cat leak-folder/secret.txt', refused: /No such file/ },
  {
    name: 'follow a link that is swapped meanwhile',
    sh: 'i=0; while [ $i -lt 300 ]; do cat swapped/secret.txt 2>&1; i=$((i+1)); done | sort | uniq -c; echo looked',
    swap: true,
    refused: /looked/,
  },
  { name: 'hard link to a file outside', sh: 'ln "$OUTSIDE" stolen', refused: /No such file|failed to/ },
  { name: 'read the home of the product', sh: 'ls "$HOST_HOME" /root /home', refused: /No such file/ },
  {
    name: 'read variables of other processes',
    sh: 'cat /proc/[0-9]*/environ | tr "\\0" "\\n"; echo looked',
    refused: /looked/,
  },
  {
    name: 'read the command line that starts the sandbox',
    sh: 'all=$(cat /proc/[0-9]*/cmdline | tr "\\0" " "); echo "$all" | grep -c "$HOST_FOLDER" | sed s/^[^0].*/ESCAPED/',
    refused: /^0$/m,
  },
  { name: 'leave by /proc/1/root', sh: 'cat "/proc/1/root$OUTSIDE"', refused: /No such file/ },
  { name: 'leave by /proc/1/cwd', sh: 'cat "/proc/1/cwd/../$OUTSIDE"', refused: /No such file/ },
  {
    name: 'use descriptors that were left open',
    ...python(`
import os
for pid in [p for p in os.listdir('/proc') if p.isdigit()]:
    for fd in os.listdir(f'/proc/{pid}/fd'):
        try: target = os.readlink(f'/proc/{pid}/fd/{fd}')
        except OSError: continue
        if target.startswith('/') and not target.startswith(('/proc', '/workspace', '/tmp', '/usr', '/dev')): print('ESCAPED', pid, fd, target)
        if int(fd) > 2 and pid == str(os.getpid()) and target.startswith('pipe'): print('ESCAPED', target)
print('looked')`),
    refused: /looked/,
  },
  { name: 'read the memory of a host process', sh: 'head -c 1 /proc/$HOST_PID/mem', refused: /No such file/ },
  { name: 'write to /usr', sh: 'echo x > /usr/bin/evil && echo ESCAPED', refused: /Read-only/ },
  { name: 'write to /etc', sh: 'echo x > /etc/evil && echo ESCAPED', refused: /Read-only/ },
  { name: 'write beside the workspace', sh: 'echo x > /evil && echo ESCAPED', refused: /Read-only/ },
  {
    name: 'preload a library into all programs',
    sh: 'echo /workspace/evil.so > /etc/ld.so.preload && echo ESCAPED',
    refused: /Read-only/,
  },
  {
    name: 'add a user',
    sh: 'echo evil::0:0::/:/bin/sh >> /etc/passwd && echo ESCAPED',
    refused: /Read-only|Permission denied/,
  },
  {
    name: 'change a file of the workspace',
    sh: 'echo changed > kept.txt; cat kept.txt',
    refused: /changed|Permission denied/,
  },
  { name: 'remove the workspace', sh: 'rm -rf /workspace/* 2>&1 | tail -1; ls | wc -l', refused: /\d/ },
  {
    name: 'change modes in the workspace',
    sh: 'chmod 777 kept.txt && ls -l kept.txt',
    refused: /rwxrwxrwx|not permitted/,
  },
  {
    name: 'put a program with the set-user-id bit',
    sh: 'cp /usr/bin/id id; chmod 4755 id; ./id -u; grep NoNewPrivs /proc/self/status',
    refused: /NoNewPrivs:\s+1/,
  },
  {
    name: 'run a set-user-id program of the workspace',
    sh: './suid-id -u; grep NoNewPrivs /proc/self/status',
    refused: /NoNewPrivs:\s+1/,
  },
  {
    name: 'become root by su',
    sh: 'su root -c "cat $OUTSIDE || echo still inside" </dev/null',
    refused: /su: |still inside/,
  },
  {
    name: 'connect to a socket of the host by its path',
    ...python(`
import socket, os
s = socket.socket(socket.AF_UNIX)
s.connect(os.environ['SOCKET_PATH'])
print('ESCAPED')`),
    refused: /FileNotFoundError/,
  },
  {
    name: 'connect to a socket of the host that lies in the workspace',
    ...python(`
import socket
attempt('socket', lambda: socket.socket(socket.AF_UNIX).connect('/workspace/socket'))`),
    refused: /socket ECONNREFUSED/,
  },
  {
    name: 'inject options by a program name',
    argv: ['--bind', '/', '/host', 'cat'],
    refused: /not found|No such file/,
  },
  { name: 'inject options by a file name', sh: 'cat -- ./--version ./-n', refused: /^just a file\njust a file$/m },
  { name: 'inject options by a folder name', sh: 'pwd', folder: '--ro-bind', refused: /^\/workspace\/--ro-bind$/m },
  { name: 'inject options by the character NUL', sh: 'ls /host', folder: '.\0--bind\0/\0/host', refused: /NUL/ },
  {
    name: 'read what the product keeps below a folder that is mounted',
    sh: 'exec 2>&1; for top in /opt/tools "$HOST_FOLDER/tools"; do cat "$top/tool.txt"; find "$top"; cat "$top/product/key" "$top/.env"; done',
    refused: /^a tool[^]*key: No such file[^]*\.env: (Permission denied|No such)[^]*a tool[^]*key: No such file/,
  },
  {
    name: 'read what the product keeps below a part that is shown again',
    sh: 'exec 2>&1; for top in /opt/tools "$HOST_FOLDER/tools"; do cat "$top/product/part/needed.txt"; cat "$top/product/part/home/key"; done',
    refused: /^needed[^]*key: No such file[^]*needed[^]*key: No such file/,
  },
  {
    name: 'uncover what the product keeps',
    sh: 'exec 2>&1; cd /opt/tools; umount product; rmdir product/part; mv product away; echo x > product/x && echo ESCAPED; cat product/key',
    refused: /Read-only[^]*key: No such file/,
  },
  {
    name: 'write to a workspace that is shown as it is',
    sh: 'echo x > kept.txt && echo ESCAPED; echo x > new.txt && echo ESCAPED; chmod 777 kept.txt && echo ESCAPED; touch -d @0 kept.txt && echo ESCAPED; rm -f kept.txt && echo ESCAPED',
    readOnly: true,
    refused: /Read-only/,
  },
  {
    name: 'follow a link out of a workspace that is shown as it is',
    sh: 'cat leak',
    readOnly: true,
    refused: /No such file/,
  },
  { name: 'send sequences to a terminal', sh: String.raw`printf '\033]0;evil\007\033[2J'`, refused: /evil/ },
];

export const ATTEMPTS = [...FILES, ...KERNEL, ...BOUNDS];
