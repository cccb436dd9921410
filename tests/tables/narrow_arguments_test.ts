import { assertEquals } from "@std/assert";
import { type Arch, archByName } from "../../tables/arch.ts";
import { isNarrow } from "../../tables/narrow_arguments.ts";
import { needs } from "../machine.ts";

function archOf(name: string): Arch {
  const arch = archByName(name);
  if (arch === undefined) throw new Error(`no ${name}`);
  return arch;
}

Deno.test("isNarrow() knows ints from words as wide as a register", () => {
  const native = archOf("x86_64");
  const rows: readonly (readonly [string, number, boolean])[] = [
    ["socket", 0, true],
    ["socket", 2, true],
    ["socket", 3, false],
    ["personality", 0, true],
    ["ioctl", 1, true],
    ["ioctl", 2, false],
    ["openat", 1, false],
    ["openat", 2, true],
    ["unshare", 0, false],
    ["clone", 0, true],
    ["clone", 1, false],
    ["no_such_call", 0, false],
  ];
  for (const [call, index, expected] of rows) {
    assertEquals(isNarrow(native, call, index), expected, `${call} ${index}`);
  }
  assertEquals(isNarrow(archOf("s390x"), "clone", 0), false);
  assertEquals(isNarrow(archOf("s390x"), "clone", 1), true);
});

/** Types of at most 32 bits. */
const NARROW =
  /^(?:const )?(?:(?:unsigned )?int|unsigned|u32|__[us]32|(?:pid|uid|gid|umode|clockid|mqd|timer|key|key_serial|rwf|qid)_t|enum \w+) \w+$/;

/** Names of tracefs that differ from those of the calls. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  newstat: "stat",
  newlstat: "lstat",
  newfstat: "fstat",
  newuname: "uname",
  sendfile64: "sendfile",
  umount: "umount2",
};

needs("root", "x86_64", "mounts")(
  "isNarrow() agrees with the parameters that this kernel reports",
  async () => {
    const script =
      "mount -t tracefs none /sys/kernel/tracing && cd /sys/kernel/tracing/events/syscalls && grep -H 'offset:\\(1[6-9]\\|[2-9][0-9]\\);' sys_enter_*/format";
    const { success, stdout } = await new Deno.Command("unshare", {
      args: ["-m", "sh", "-c", script],
    }).output();
    // A kernel without tracefs, or without CONFIG_FTRACE_SYSCALLS.
    if (!success) return;
    const seen = new Map<string, number>();
    const native = archOf("x86_64");
    for (const line of new TextDecoder().decode(stdout).split("\n")) {
      const [, name = "", type = ""] =
        /^sys_enter_(\w+)\/format:\s*field:([^;]*);/.exec(line) ?? [];
      const call = OTHER_NAMES[name] ?? name;
      if (name === "" || call === "clone" || !native.syscalls.has(call)) {
        continue;
      }
      const index = seen.get(call) ?? 0;
      seen.set(call, index + 1);
      assertEquals(
        isNarrow(native, call, index),
        NARROW.test(type),
        `${call}, argument ${index}: ${type}`,
      );
    }
  },
);
