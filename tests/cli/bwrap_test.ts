/** The recipe of docs/presets.md with the real bwrap. */

import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { needs } from "../machine.ts";
import { call, createFolder, shell } from "./harness.ts";

needs("bwrap", "python3", "x86_64", "mounts")(
  "bwrap: a sandbox under presets denies what they name",
  async () => {
    await using folder = await createFolder();
    const filter = join(folder.path, "sandbox.bpf");
    const made = await call([
      "combine",
      "-q",
      "--intersect",
      "preset:no-af-alg",
      "preset:no-keyring",
      "-f",
      "raw",
      "-O",
      filter,
    ]);
    assertEquals([made.code, made.err], [0, ""]);
    const code = `
import ctypes, socket
libc = ctypes.CDLL(None, use_errno=True)
for family in (1, 38):
    try:
        socket.socket(family, socket.SOCK_STREAM if family == 1 else 5).close()
        print("made")
    except OSError as error:
        print(error.errno)
# The kernel cuts a domain to 32 bits.
print(libc.syscall(41, ctypes.c_long((1 << 32) | 38), 5, 0), ctypes.get_errno())
print(libc.syscall(250, 0, 0), ctypes.get_errno())
`;
    const program = await folder.write("program.py", code);
    const bwrap = "bwrap --ro-bind / / --dev /dev --proc /proc";
    const run = await shell(
      `${bwrap} --seccomp 9 python3 ${program} 9<${filter}`,
    );
    assertEquals(run.out, "made\n1\n-1 1\n-1 1\n", run.err);
  },
);
