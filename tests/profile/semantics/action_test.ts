import { assertEquals } from "@std/assert";
import { returnValue } from "../../../profile/semantics/action.ts";

Deno.test("returnValue() is action and data as the kernel has them", () => {
  // Values of linux/seccomp.h, by hand.
  const table = [
    ["SCMP_ACT_KILL", undefined, 0x0000_0000],
    ["SCMP_ACT_KILL_THREAD", 7, 0x0000_0000],
    ["SCMP_ACT_KILL_PROCESS", undefined, 0x8000_0000],
    ["SCMP_ACT_TRAP", 7, 0x0003_0000],
    ["SCMP_ACT_ERRNO", undefined, 0x0005_0001],
    ["SCMP_ACT_ERRNO", 0, 0x0005_0000],
    ["SCMP_ACT_ERRNO", 38, 0x0005_0026],
    ["SCMP_ACT_ERRNO", 65_536, 0x0005_0000],
    ["SCMP_ACT_ERRNO", 65_537, 0x0005_0001],
    ["SCMP_ACT_TRACE", undefined, 0x7ff0_0001],
    ["SCMP_ACT_TRACE", 65_535, 0x7ff0_ffff],
    ["SCMP_ACT_ALLOW", 7, 0x7fff_0000],
    ["SCMP_ACT_LOG", undefined, 0x7ffc_0000],
    ["SCMP_ACT_NOTIFY", 7, 0x7fc0_0000],
  ] as const;
  for (const [action, data, expected] of table) {
    assertEquals(returnValue(action, data), expected, `${action} ${data}`);
  }
});
