import { assertEquals } from "@std/assert";
import { SyscallError } from "../../ffi/error.ts";

Deno.test("SyscallError reports what failed, why, and the remedy if known", () => {
  const message = (errno: number, hint: string): string =>
    new SyscallError("Cannot load filter", { syscall: "seccomp", errno, hint })
      .message;
  assertEquals(
    message(13, "be root"),
    "Cannot load filter: seccomp answers EACCES; be root",
  );
  assertEquals(message(13, ""), "Cannot load filter: seccomp answers EACCES");
  assertEquals(message(0, ""), "Cannot load filter: seccomp");
});
