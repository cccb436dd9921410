import { assertEquals } from "@std/assert";
import { encode } from "../../../bpf/encode.ts";
import { parseText } from "../../../bpf/text.ts";
import { chooseCode } from "../../../ffi/live/restart.ts";

const X86_64 = 0xc000_003e;
const I386 = 0x4000_0003;
const AARCH64 = 0xc000_00b7;
const X32_BIT = 0x4000_0000;

/** linux/errno.h: the kernel's codes for a call that it restarts. */
const SYS = 512;
const NOINTR = 513;
const NOHAND = 514;
const RESTARTBLOCK = 516;
const EINTR = 4;
const EPERM = 1;

/** A filter that answers to one number of one architecture. */
function answer(arch: number, nr: number, value: number): Uint8Array {
  return encode(parseText(`
    ld [4]
    jeq #${arch}, 0, allow
    ld [0]
    jeq #${nr}, 0, allow
    ret #${value}
    allow: ret #0x7fff0000
  `));
}

const DENY = 0x0005_0001;
const LOG = 0x7ffc_0000;
const NOTIFY = 0x7fc0_0000;
const TRACE = 0x7ff0_0000;
const KILL = 0x8000_0000;
const TRAP = 0x0003_0000;

/** Numbers of calls, and of restart_syscall, from the kernel's headers. */
const NANOSLEEP = 35;
const EPOLL_WAIT = 232;
const WRITE = 1;
const RECVFROM = 45;
const IOCTL = 16;

/** Parameters of a case. */
interface Case {
  readonly code: number;
  readonly arch?: number;
  readonly nr?: number;
  readonly args?: readonly bigint[];
  readonly filters: readonly Uint8Array[];
  readonly chosen: number;
}

Deno.test("chooseCode() keeps what the kernel would do as long as filters allow that", () => {
  const restart = (value: number): Uint8Array => answer(X86_64, 219, value);
  const sleep = (value: number): Uint8Array => answer(X86_64, NANOSLEEP, value);
  const cases: Readonly<Record<string, Case>> = {
    "no filter": { code: RESTARTBLOCK, filters: [], chosen: RESTARTBLOCK },
    "allowed": {
      code: RESTARTBLOCK,
      filters: [answer(X86_64, 218, KILL), answer(X86_64, 220, KILL)],
      chosen: RESTARTBLOCK,
    },
    ...Object.fromEntries(
      Object.entries({ DENY, LOG, NOTIFY, TRACE, KILL, TRAP, thread: 0 }).map((
        [name, value],
      ) => [
        `restart_syscall is answered by ${name}`,
        { code: RESTARTBLOCK, filters: [restart(value)], chosen: NOHAND },
      ]),
    ),
    "the oldest of several filters denies": {
      code: RESTARTBLOCK,
      filters: [restart(KILL), sleep(LOG), answer(I386, 0, KILL)],
      chosen: NOHAND,
    },
    "another architecture's restart_syscall is denied": {
      code: RESTARTBLOCK,
      filters: [answer(I386, 0, KILL), answer(AARCH64, 128, KILL)],
      chosen: RESTARTBLOCK,
    },
    "x86": {
      code: RESTARTBLOCK,
      arch: I386,
      nr: 162,
      filters: [answer(I386, 0, DENY)],
      chosen: NOHAND,
    },
    "x86, native restart_syscall denied": {
      code: RESTARTBLOCK,
      arch: I386,
      nr: 162,
      filters: [restart(KILL), answer(I386, 219, KILL)],
      chosen: RESTARTBLOCK,
    },
    "x32": {
      code: RESTARTBLOCK,
      nr: X32_BIT + NANOSLEEP,
      filters: [answer(X86_64, X32_BIT + 219, DENY)],
      chosen: NOHAND,
    },
    "x32, that of x86_64 denied": {
      code: RESTARTBLOCK,
      nr: X32_BIT + NANOSLEEP,
      filters: [restart(DENY)],
      chosen: RESTARTBLOCK,
    },
    "aarch64": {
      code: RESTARTBLOCK,
      arch: AARCH64,
      nr: 101,
      filters: [answer(AARCH64, 128, DENY)],
      chosen: NOHAND,
    },
    "both denied by now": {
      code: RESTARTBLOCK,
      filters: [restart(KILL), sleep(KILL)],
      chosen: EINTR,
    },
    "both logged or denied": {
      code: RESTARTBLOCK,
      filters: [restart(LOG), sleep(KILL)],
      chosen: RESTARTBLOCK,
    },
    "an unknown architecture": {
      code: RESTARTBLOCK,
      arch: 0x1234,
      filters: [],
      chosen: NOHAND,
    },
    "EINTR of a wait": {
      code: EINTR,
      nr: EPOLL_WAIT,
      filters: [restart(KILL)],
      chosen: NOHAND,
    },
    "EINTR of a filter": {
      code: EINTR,
      nr: EPOLL_WAIT,
      filters: [answer(X86_64, EPOLL_WAIT, 0x0005_0004)],
      chosen: EINTR,
    },
    "EINTR of a supervisor": {
      code: EINTR,
      nr: EPOLL_WAIT,
      filters: [answer(X86_64, EPOLL_WAIT, NOTIFY)],
      chosen: EINTR,
    },
    "EINTR of a call that may have done something": {
      code: EINTR,
      nr: WRITE,
      filters: [],
      chosen: EINTR,
    },
    "EINTR of a number of another architecture": {
      code: EINTR,
      arch: I386,
      nr: EPOLL_WAIT,
      filters: [],
      chosen: EINTR,
    },
    "EINTR of a receive": {
      code: EINTR,
      nr: RECVFROM,
      filters: [],
      chosen: NOHAND,
    },
    "EINTR of x86's semtimedop by ipc": {
      code: EINTR,
      arch: I386,
      nr: 117,
      args: [4n],
      filters: [],
      chosen: NOHAND,
    },
    "EINTR of x86's recv by socketcall": {
      code: EINTR,
      arch: I386,
      nr: 102,
      args: [10n],
      filters: [],
      chosen: NOHAND,
    },
    "EINTR of x86's send by socketcall": {
      code: EINTR,
      arch: I386,
      nr: 102,
      args: [9n],
      filters: [],
      chosen: EINTR,
    },
    "EINTR of a receive of all": {
      code: EINTR,
      nr: RECVFROM,
      args: [3n, 0n, 8n, 0x100n],
      filters: [],
      chosen: EINTR,
    },
    "EINTR of KVM_RUN": {
      code: EINTR,
      nr: IOCTL,
      args: [3n, 0xae80n],
      filters: [],
      chosen: NOHAND,
    },
    "EINTR of another ioctl": {
      code: EINTR,
      nr: IOCTL,
      args: [3n, 0xae81n],
      filters: [],
      chosen: EINTR,
    },
    ...Object.fromEntries([SYS, NOINTR, NOHAND].flatMap((code) => [
      [`${code}, allowed`, { code, filters: [restart(KILL)], chosen: code }],
      [`${code}, denied by now`, { code, filters: [sleep(0)], chosen: EINTR }],
      [`${code}, supervised`, { code, filters: [sleep(NOTIFY)], chosen: code }],
    ])),
    "an error": { code: EPERM, filters: [restart(KILL)], chosen: EPERM },
    "a result": { code: -1, filters: [sleep(KILL)], chosen: -1 },
  };
  for (
    const [name, { code, arch, nr, args, filters, chosen }] of Object.entries(
      cases,
    )
  ) {
    const call = {
      arch: arch ?? X86_64,
      nr: nr ?? NANOSLEEP,
      instructionPointer: 0n,
      args: args ?? [],
    };
    assertEquals(chooseCode({ code, call }, filters), chosen, name);
  }
});

Deno.test("chooseCode() looks at the arguments and the instruction pointer as the filter does", () => {
  const filter = encode(parseText(`
    ld [0]
    jeq #219, 0, allow
    ld [20]
    jeq #7, 0, allow
    ld [8]
    jeq #0x1000, 0, allow
    ret #0
    allow: ret #0x7fff0000
  `));
  const call = { arch: X86_64, nr: NANOSLEEP };
  const chosen = (argument: bigint, instructionPointer: bigint): number =>
    chooseCode({
      code: RESTARTBLOCK,
      call: { ...call, instructionPointer, args: [argument] },
    }, [filter]);
  assertEquals(chosen(0x7_0000_0000n, 0x1000n), NOHAND);
  assertEquals(chosen(0x8_0000_0000n, 0x1000n), RESTARTBLOCK);
  assertEquals(chosen(0x7_0000_0000n, 0x1001n), RESTARTBLOCK);
});

Deno.test("chooseCode() restarts a call if the kernel does not report how it was made", () => {
  const choose = (code: number): number =>
    chooseCode({ code, call: undefined }, []);
  assertEquals([RESTARTBLOCK, EINTR, SYS].map(choose), [NOHAND, EINTR, SYS]);
});
