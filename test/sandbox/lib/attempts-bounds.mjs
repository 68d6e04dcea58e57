// Attempts to use more than there is, or to live longer. `ends`: for which reasons it may be ended.
import { python } from './python.mjs';

const fill = (folder) =>
  `for i in 1 2 3 4 5 6 7 8 9; do head -c 20000000 /dev/zero > ${folder}/fill$i || break; done; sleep 5; echo ESCAPED`;

export const BOUNDS = [
  {
    name: 'fork without end',
    ...python(`
import time
until = time.time() + 8
while time.time() < until:
    try: os.fork()
    except OSError: time.sleep(0.05)
print('ESCAPED')`),
    ends: ['processes'],
  },
  {
    name: 'start threads without end',
    ...python(`
import threading, time
try:
    for _ in range(5000): threading.Thread(target=time.sleep, args=(5,), daemon=True).start()
    print('ESCAPED')
except RuntimeError: time.sleep(5)`),
    ends: ['processes'],
  },
  {
    name: 'take all memory',
    ...python(`
blocks = []
while True: blocks.append(bytearray(1 << 22))`),
    ends: ['memory', 'exit'],
    refused: /MemoryError/,
  },
  {
    name: 'take all memory by many processes',
    ...python(`
import time
for _ in range(16):
    if os.fork() == 0:
        block = bytearray(24 << 20); time.sleep(5); os._exit(0)
time.sleep(5); print('ESCAPED')`),
    ends: ['memory'],
  },
  {
    name: 'take memory that nobody maps',
    ...python(`
import time
held = []
while len(held) < 100:
    held.append(os.memfd_create('x'))
    os.write(held[-1], bytes(8 << 20))
time.sleep(5); print('ESCAPED')`),
    ends: ['memory', 'exit'],
    refused: /PermissionError/,
  },
  { name: 'fill /tmp', sh: fill('/tmp'), ends: ['space'] },
  { name: 'fill the workspace', sh: fill('/workspace'), ends: ['space'] },
  { name: 'fill /dev/shm', sh: fill('/dev/shm'), ends: ['space'] },
  {
    name: 'fill several places at once',
    sh: `head -c 16000000 /dev/zero > /tmp/a; head -c 16000000 /dev/zero > /workspace/b; head -c 16000000 /dev/zero > /dev/shm/c; sleep 5; echo ESCAPED`,
    ends: ['space'],
  },
  {
    name: 'keep deleted files',
    ...python(`
import time
held = []
for i in range(9):
    held.append(open('/tmp/gone', 'wb')); os.unlink('/tmp/gone')
    try: held[-1].write(bytes(20000000)); held[-1].flush()
    except OSError: break
time.sleep(5); print('ESCAPED')`),
    ends: ['space', 'memory'],
  },
  {
    name: 'make files without end',
    ...python(`
i = 0
while True:
    os.close(os.open(f'/tmp/{i}', os.O_CREAT)); i += 1`),
    ends: ['space', 'memory', 'exit'],
    refused: /No space/,
  },
  {
    name: 'make one huge file',
    sh: 'truncate -s 1T huge && echo ESCAPED',
    ends: ['exit'],
    refused: /File too large|File size limit/,
  },
  {
    name: 'open files without end',
    ...python(`
held = []
try:
    while True: held.append(os.open('/usr', os.O_RDONLY))
except OSError as error: print(len(held) < 4096 and errno.errorcode[error.errno])`),
    ends: ['exit'],
    refused: /EMFILE/,
  },
  {
    name: 'lift its own limits',
    ...python(`
import resource
for name in ('RLIMIT_NOFILE', 'RLIMIT_FSIZE', 'RLIMIT_CORE'):
    limit = getattr(resource, name)
    try:
        resource.setrlimit(limit, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)); print('ESCAPED', name)
    except (ValueError, PermissionError): print('held', name)`),
    ends: ['exit'],
    refused: /(held \w+\n){3}/,
  },
  { name: 'print without end', sh: 'yes evil', ends: ['output'] },
  { name: 'print one endless line', sh: 'head -c 200000000 /dev/zero', ends: ['output'] },
  { name: 'sleep past its time', sh: 'sleep 100', ends: ['timeout'], timeoutMs: 700 },
  { name: 'ignore signals', sh: "trap '' TERM INT HUP QUIT; while :; do :; done", ends: ['timeout'], timeoutMs: 700 },
  { name: 'stop itself', sh: 'kill -STOP $$', ends: ['timeout'], timeoutMs: 700 },
  {
    name: 'leave a daemon behind',
    sh: '(setsid sh -c "trap \\"\\" TERM HUP; sleep 100 & sleep 100" >/dev/null 2>&1 &) ; echo left',
    ends: ['exit'],
    refused: /left/,
  },
  {
    name: 'leave a daemon that holds the output',
    ...python(`
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        import time; time.sleep(100)
    os._exit(0)
print('left')`),
    ends: ['exit'],
    refused: /left/,
  },
  {
    name: 'hand over a device as report',
    sh: 'ln -sf /dev/zero /tmp/report.txt; echo tried',
    report: true,
    ends: ['exit'],
    refused: /tried/,
  },
  {
    name: 'hand over a pipe as report',
    sh: 'rm -f /tmp/report.txt; mkfifo /tmp/report.txt; echo tried',
    report: true,
    ends: ['exit'],
    refused: /tried/,
  },
  {
    name: 'dump memory to the host',
    sh: 'ulimit -c unlimited; sh -c "kill -SEGV \\$\\$"; ls core* 2>&1',
    ends: ['exit'],
    refused: /No such file/,
  },
  { name: 'outlive what bounds its time', sh: 'kill -9 $PPID; while :; do :; done', refused: /^Killed$/m },
  {
    name: 'stop what bounds its time',
    sh: 'kill -STOP $PPID; sleep 60; echo ESCAPED',
    timeoutMs: 1_500,
    ends: ['timeout'],
  },
];
