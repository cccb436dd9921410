import { assertEquals } from "@std/assert";
import { SyscallError } from "../../ffi/error.ts";

Deno.test("SyscallError says what failed, why, and what would do, if that is known", () => {
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
