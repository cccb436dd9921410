import { assertEquals, assertThrows } from "@std/assert";
import { MachineError, UsageError } from "../../../cli/error.ts";
import { parsePid } from "../../../cli/input/sources/pid.ts";

Deno.test("parsePid() takes every number that a process can have", () => {
  assertEquals(parsePid("pid:1"), 1);
  assertEquals(parsePid("17"), 17);
  // include/linux/threads.h: PID_MAX_LIMIT of 64-bit machines.
  assertEquals(parsePid("pid:4194304"), 4_194_304);
  for (const text of ["0", "pid:-1", "pid:4194305"]) {
    assertThrows(() => parsePid(text), MachineError, "no process has", text);
  }
  for (const text of ["", "pid:", "self", "1.5", "0x1"]) {
    assertThrows(() => parsePid(text), UsageError, "not a process", text);
  }
});
