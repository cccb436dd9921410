/**
 * The child process of `ffi/libseccomp_guard.ts`: reads requests from standard
 * input and writes each answer to standard output.
 *
 * @module
 */

import { openLibc } from "./libc.ts";
import { openLibseccomp } from "./libseccomp.ts";
import { decodeSpec, encodeResult } from "./libseccomp_wire.ts";

/** `PR_SET_PDEATHSIG` of linux/prctl.h. */
const PR_SET_PDEATHSIG = 1;
/** `SIGKILL`. */
const SIGKILL = 9n;
/** `RLIMIT_DATA` and `RLIMIT_CORE` of asm-generic/resource.h. */
const RLIMIT_DATA = 2;
const RLIMIT_CORE = 4;
/** Memory limit of the library, in bytes. */
const DATA_LIMIT = 2n << 30n;

if (import.meta.main) serve();

async function serve(): Promise<void> {
  const { symbols } = openLibc();
  // A parent that is killed cannot end a child that hangs inside the library.
  symbols.prctl(PR_SET_PDEATHSIG, SIGKILL, 0n, 0n, 0n);
  symbols.prlimit(
    0,
    RLIMIT_DATA,
    new BigUint64Array([DATA_LIMIT, DATA_LIMIT]),
    null,
  );
  symbols.prlimit(0, RLIMIT_CORE, new BigUint64Array([0n, 0n]), null);
  const library = openLibseccomp();
  if (library === undefined) return;
  const encoder = new TextEncoder();
  let rest = "";
  for await (
    const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())
  ) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const result = library.exportFilter(decodeSpec(line));
      writeAll(encoder.encode(`${encodeResult(result)}\n`));
    }
  }
}

function writeAll(bytes: Uint8Array): void {
  let done = 0;
  while (done < bytes.length) {
    done += Deno.stdout.writeSync(bytes.subarray(done));
  }
}
