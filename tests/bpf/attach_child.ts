/**
 * Asks the kernel which filters it accepts. check_test.ts runs it in its own
 * process, because accepted filters stay in force until the process ends.
 *
 * Reads hexadecimal `struct sock_filter[]` from stdin, separated by commas
 * (nothing between two is a filter of length 0), attaches each unchanged, and
 * writes the errno of each, 0 if it was accepted, as JSON. Each filter must
 * allow everything.
 *
 * @module
 */

import { fromHex } from "../../bpf/hex.ts";

const PR_SET_NO_NEW_PRIVS = 38;
const SECCOMP_SET_MODE_FILTER = 1;
const SYS_SECCOMP: Readonly<Record<string, number>> = {
  "x86_64": 317,
  "aarch64": 277,
};

const libc = Deno.dlopen("libc.so.6", {
  prctl: { parameters: ["i32", "u64", "u64", "u64", "u64"], result: "i32" },
  // long syscall(long, ...); the result is -1 or 0.
  syscall: { parameters: ["i64", "u64", "u64", "buffer"], result: "i32" },
  __errno_location: { parameters: [], result: "pointer" },
});

const location = libc.symbols.__errno_location();
if (location === null) throw new Error("no errno");
const errno = new Int32Array(
  Deno.UnsafePointerView.getArrayBuffer(location, 4),
);
if (libc.symbols.prctl(PR_SET_NO_NEW_PRIVS, 1n, 0n, 0n, 0n) !== 0) {
  throw new Error(`prctl: errno ${errno[0]}`);
}

async function main(): Promise<void> {
  const sysSeccomp = SYS_SECCOMP[Deno.build.arch];
  if (sysSeccomp === undefined) throw new Error(`no ${Deno.build.arch}`);
  const input = await new Response(Deno.stdin.readable).text();
  // Outlives all calls: the kernel reads the programs by address.
  const programs = input.split(",").map(fromHex);
  const answers: number[] = [];
  for (const program of programs) {
    const fprog = new Uint8Array(16);
    const view = new DataView(fprog.buffer);
    view.setUint16(0, program.length / 8, true);
    const address = Deno.UnsafePointer.value(Deno.UnsafePointer.of(program));
    view.setBigUint64(8, BigInt(address), true);
    const result = libc.symbols.syscall(
      BigInt(sysSeccomp),
      BigInt(SECCOMP_SET_MODE_FILTER),
      0n,
      fprog,
    );
    const error = errno[0] ?? 0;
    answers.push(result === 0 ? 0 : error);
  }
  await Deno.stdout.write(new TextEncoder().encode(JSON.stringify(answers)));
  if (programs.length !== answers.length) throw new Error("lost a program");
}

main();
