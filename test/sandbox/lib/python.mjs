/** An attempt in Python; what it fails with is printed as NAME: text. */
export const python = (source) => ({ argv: ['/usr/bin/python3', '-c', `${PRELUDE}\n${source}`] });

/** \`call\`: a system call by its numbers on x64 and arm64; prints the kernel's answer. */
const PRELUDE = `
import ctypes, os, errno
libc = ctypes.CDLL(None, use_errno=True)
def call(name, x64, arm64, *arguments):
    number = x64 if os.uname().machine == 'x86_64' else arm64
    result = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(a) if isinstance(a, int) else a for a in arguments])
    print(name, 'ESCAPED' if result >= 0 else errno.errorcode[ctypes.get_errno()], flush=True)
    return result
def attempt(name, action):
    try:
        action()
        print(name, 'ESCAPED', flush=True)
    except OSError as error:
        print(name, errno.errorcode.get(error.errno, error.errno), flush=True)
`;
