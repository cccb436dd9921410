import { assert, assertEquals } from "@std/assert";
import { type Arch, archByName, ARCHES } from "../../tables/arch.ts";

/** An architecture that must be there. */
function arch(name: string): Arch {
  const found = archByName(name);
  assert(found !== undefined, `no table for ${name}`);
  return found;
}

Deno.test("multiplexed exists only on x86, s390, ppc and mips o32", () => {
  assertEquals(
    ARCHES.filter(({ multiplexed }) => multiplexed.length > 0)
      .map(({ name }) => name).join(" "),
    "x86 s390x s390 ppc64le mipsel ppc64 ppc mips",
  );
});

Deno.test("multiplexed has the calls of linux/net.h and linux/ipc.h", () => {
  const socketcall =
    "socket bind connect listen accept getsockname getpeername socketpair send " +
    "recv sendto recvfrom shutdown setsockopt getsockopt sendmsg recvmsg " +
    "accept4 recvmmsg sendmmsg";
  const ipc: Record<string, number> = {
    semop: 1,
    semget: 2,
    semctl: 3,
    semtimedop: 4,
    msgsnd: 11,
    msgrcv: 12,
    msgget: 13,
    msgctl: 14,
    shmat: 21,
    shmdt: 22,
    shmget: 23,
    shmctl: 24,
  };
  for (const { name, multiplexed, syscalls } of ARCHES) {
    if (multiplexed.length === 0) continue;
    const base = name.startsWith("mips") ? 4000 : 0;
    const expected = [
      ...socketcall.split(" ").map((call, index) => ({
        name: call,
        nr: base + 102,
        call: index + 1,
      })),
      ...Object.entries(ipc).map(([call, value]) => ({
        name: call,
        nr: base + 117,
        call: value,
      })),
    ];
    assertEquals(multiplexed, expected, name);
    assertEquals(syscalls.get("socketcall"), base + 102, name);
    assertEquals(syscalls.get("ipc"), base + 117, name);
  }
});

Deno.test("syscalls has a multiplexed call only if it is wired", () => {
  const x86 = arch("x86").syscalls;
  assertEquals(x86.get("socket"), 359);
  assertEquals(x86.get("recvmmsg"), 337);
  assertEquals(x86.get("sendmmsg"), 345);
  assertEquals(x86.get("accept4"), 364);
  assertEquals(x86.get("shutdown"), 373);
  assertEquals(x86.get("semget"), 393);
  assertEquals(x86.get("msgctl"), 402);
  for (const name of ["x86", "s390", "s390x"]) {
    for (const call of ["accept", "send", "recv", "semop"]) {
      assert(!arch(name).syscalls.has(call), `${name} ${call}`);
    }
  }
  for (const { name, multiplexed, syscalls } of ARCHES) {
    if (multiplexed.length === 0) continue;
    assert(!syscalls.has("semop"), name);
    const wired = ["s390x", "ppc64le", "ppc64"].includes(name)
      ? 392
      : undefined;
    assertEquals(syscalls.get("semtimedop"), wired, name);
  }
});
