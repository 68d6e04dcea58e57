import { describe, expect, it } from '@jest/globals';
import { seccompFilter, type Machine } from './seccomp.js';

const X64 = 0xc000003e;
const ARM64 = 0xc00000b7;
const ALLOW = 0x7fff0000;
const KILL = 0x80000000;
const fails = (error: number): number => 0x00050000 | error;
const [EPERM, ENOSYS, EAFNOSUPPORT] = [fails(1), fails(38), fails(97)];

interface Call {
  machine: number;
  call: number;
  arguments?: readonly number[];
}

/** Runs a filter as the kernel does. */
function judge(filter: Buffer, { machine, call, arguments: given = [] }: Call): number {
  const word = (at: number): number => (at === 0 ? call : at === 4 ? machine : (given[(at - 16) / 8] ?? 0));
  let register = 0;
  for (let at = 0; at < filter.length / 8; at++) {
    const code = filter.readUInt16LE(at * 8);
    const value = filter.readUInt32LE(at * 8 + 4);
    if (code === 0x06) return value;
    if (code === 0x20) {
      register = word(value);
      continue;
    }
    const isSo = code === 0x15 ? register === value : code === 0x35 ? register >= value : (register & value) !== 0;
    at += filter.readUInt8(at * 8 + (isSo ? 2 : 3));
  }
  throw new Error('the filter gives no answer');
}

describe(seccompFilter.name, () => {
  const machines: [Machine, number][] = [
    ['x64', X64],
    ['arm64', ARM64],
  ];

  it.each<[string, number, number]>([
    ['ptrace', 101, 117],
    ['keyctl', 250, 219],
    ['bpf', 321, 280],
    ['mount', 165, 40],
    ['pivot_root', 155, 41],
    ['unshare', 272, 97],
    ['io_uring_setup', 425, 425],
    ['syslog', 103, 116],
  ])('should refuse %s', (_, x64, arm64) => {
    expect(judge(seccompFilter('x64', false), { machine: X64, call: x64 })).toBe(EPERM);
    expect(judge(seccompFilter('arm64', false), { machine: ARM64, call: arm64 })).toBe(EPERM);
  });

  it.each(machines)('should let through on %s what every program does', (name, machine) => {
    // read, write, openat, execve, getpid, futex.
    const calls = name === 'x64' ? [0, 1, 257, 59, 39, 202] : [63, 64, 56, 221, 172, 98];
    for (const call of calls) expect(judge(seccompFilter(name, true), { machine, call })).toBe(ALLOW);
  });

  it('should kill what is made for another machine, or for x32', () => {
    const filter = seccompFilter('x64', false);
    expect(judge(filter, { machine: 0x40000003, call: 20 })).toBe(KILL);
    expect(judge(filter, { machine: X64, call: 0x40000000 })).toBe(KILL);
    expect(judge(seccompFilter('arm64', false), { machine: X64, call: 63 })).toBe(KILL);
  });

  it.each([
    ['unix', 1, ALLOW],
    ['inet', 2, ALLOW],
    ['inet6', 10, ALLOW],
    ['netlink', 16, ALLOW],
    ['packet', 17, EAFNOSUPPORT],
    ['alg', 38, EAFNOSUPPORT],
    ['vsock', 40, EAFNOSUPPORT],
  ])('should judge sockets by their family: %s', (_, family, expected) => {
    const given = { arguments: [family, 1, 0] };
    expect(judge(seccompFilter('x64', false), { machine: X64, call: 41, ...given })).toBe(expected);
    expect(judge(seccompFilter('arm64', false), { machine: ARM64, call: 198, ...given })).toBe(expected);
  });

  it('should refuse to type into a terminal, and let other controls through', () => {
    const ioctl = (request: number): number =>
      judge(seccompFilter('x64', false), { machine: X64, call: 16, arguments: [0, request] });
    expect([ioctl(0x5412), ioctl(0x541c), ioctl(0x5401)]).toEqual([EPERM, EPERM, ALLOW]);
  });

  it('should refuse new namespaces by clone, let forks through, and deny that clone3 exists', () => {
    const clone = (flags: number): number =>
      judge(seccompFilter('x64', false), { machine: X64, call: 56, arguments: [flags] });
    expect([clone(0x10000000 | 17), clone(0x20000), clone(17), clone(0x3d0f00)]).toEqual([EPERM, EPERM, ALLOW, ALLOW]);
    expect(judge(seccompFilter('x64', false), { machine: X64, call: 435 })).toBe(ENOSYS);
  });

  it('should refuse memory that nobody maps only where no control group counts it', () => {
    const create = { machine: X64, call: 319 };
    expect(judge(seccompFilter('x64', true), create)).toBe(EPERM);
    expect(judge(seccompFilter('x64', false), create)).toBe(ALLOW);
  });
});
