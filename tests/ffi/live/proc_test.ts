import { assertEquals } from "@std/assert";
import { openLibc } from "../../../ffi/libc.ts";
import { readStatus } from "../../../ffi/live/proc.ts";

Deno.test("readStatus() reads fields by name, and none of a missing thread", () => {
  const status = readStatus(openLibc(), Deno.pid);
  assertEquals(status.get("Pid"), String(Deno.pid));
  assertEquals(status.get("PPid"), String(Deno.ppid));
  assertEquals(status.get("Uid")?.split("\t")[0], String(Deno.uid()));
  assertEquals(readStatus(openLibc(), 2 ** 30).size, 0);
});
