import { JUDGED_CALLS, REFUSED_CALLS, UNCOUNTED_CALLS } from './seccomp-calls.js';

export type Machine = 'x64' | 'arm64';

/** Words of the kernel's header files: instructions of classic BPF, what a filter answers, numbers of errors. */
const LOAD = 0x20;
const JUMP_EQUAL = 0x15;
const JUMP_GREATER_OR_EQUAL = 0x35;
const JUMP_ANY_BIT = 0x45;
const RETURN = 0x06;
const ALLOW = 0x7fff0000;
const KILL_PROCESS = 0x80000000;
const FAIL = 0x00050000;
const EPERM = 1;
const ENOSYS = 38;
const EAFNOSUPPORT = 97;

/** Where things lie in what a filter is shown. Arguments have 64 bits; of these the lower half comes first. */
const CALL_AT = 0;
const MACHINE_AT = 4;
const FIRST_ARGUMENT_AT = 16;
const SECOND_ARGUMENT_AT = 24;

const MACHINES: Readonly<Record<Machine, number>> = { x64: 0xc000003e, arm64: 0xc00000b7 };
/** On x64 the calls of its rare sibling x32 have this bit: they would pass a filter that names only the others. */
const X32_CALLS = 0x40000000;

/**
 * unix, inet, inet6, netlink. Each of these is in a namespace; sockets to the host of a virtual machine (vsock) are in
 * none, and some others are known for holes of the kernel.
 */
const SOCKET_FAMILIES = [1, 2, 10, 16];
/** TIOCSTI and TIOCLINUX: put characters into a terminal as if they had been typed. */
const TYPING = [0x5412, 0x541c];
/** All CLONE_NEW… but the one for time, which clone cannot do. */
const NEW_NAMESPACES = 0x7e020000;

/** An instruction: code, jump if true, jump if not, constant. Jumps count instructions to skip. */
type Instruction = readonly [code: number, yes: number, no: number, value: number];

/**
 * A seccomp filter as bubblewrap takes it. A program of another machine's kind is killed; what is refused fails with
 * EPERM, as it would without a capability.
 * @param strict without a control group: what it alone could bound is refused too
 */
export function seccompFilter(machine: Machine, strict: boolean): Buffer {
  const column = machine === 'x64' ? 0 : 1;
  const refused = Object.values({ ...REFUSED_CALLS, ...(strict ? UNCOUNTED_CALLS : {}) });
  const numbers = refused.map((pair) => pair[column]).filter((number) => number !== null);
  return encode([
    ...onlyThisMachine(machine),
    ...judge(JUDGED_CALLS.socket[column], FIRST_ARGUMENT_AT, otherThan(SOCKET_FAMILIES, EAFNOSUPPORT)),
    ...judge(JUDGED_CALLS.ioctl[column], SECOND_ARGUMENT_AT, oneOf(TYPING, EPERM)),
    ...judge(JUDGED_CALLS.clone[column], FIRST_ARGUMENT_AT, [[JUMP_ANY_BIT, 0, 1, NEW_NAMESPACES], fail(EPERM)]),
    // Its flags lie in memory, where a filter cannot look; told that it does not exist, programs take clone.
    ...refuse([JUDGED_CALLS.clone3[column]], ENOSYS),
    ...refuse(numbers, EPERM),
    [RETURN, 0, 0, ALLOW],
  ]);
}

const fail = (error: number): Instruction => [RETURN, 0, 0, FAIL | error];

function onlyThisMachine(machine: Machine): Instruction[] {
  const start: Instruction[] = [
    [LOAD, 0, 0, MACHINE_AT],
    [JUMP_EQUAL, 1, 0, MACHINES[machine]],
    [RETURN, 0, 0, KILL_PROCESS],
    [LOAD, 0, 0, CALL_AT],
  ];
  if (machine === 'arm64') return start;
  return [...start, [JUMP_GREATER_OR_EQUAL, 0, 1, X32_CALLS], [RETURN, 0, 0, KILL_PROCESS]];
}

/** Looks at an argument of one call with `body`, which falls through where all is well. */
function judge(call: number, at: number, body: readonly Instruction[]): Instruction[] {
  // An argument and the call's number share one register: the number is loaded again behind the body.
  return [[JUMP_EQUAL, 0, body.length + 2, call], [LOAD, 0, 0, at], ...body, [LOAD, 0, 0, CALL_AT]];
}

const otherThan = (values: readonly number[], error: number): Instruction[] => [
  ...values.map((value, index): Instruction => [JUMP_EQUAL, values.length - index, 0, value]),
  fail(error),
];

function oneOf(values: readonly number[], error: number): Instruction[] {
  return values.flatMap((value): Instruction[] => [[JUMP_EQUAL, 0, 1, value], fail(error)]);
}

const refuse = (calls: readonly number[], error: number): Instruction[] => oneOf(calls, error);

function encode(instructions: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(instructions.length * 8);
  instructions.forEach(([code, yes, no, value], index) => {
    bytes.writeUInt16LE(code, index * 8);
    bytes.writeUInt8(yes, index * 8 + 2);
    bytes.writeUInt8(no, index * 8 + 3);
    bytes.writeUInt32LE(value >>> 0, index * 8 + 4);
  });
  return bytes;
}
