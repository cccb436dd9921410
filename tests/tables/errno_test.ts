import { assert, assertEquals } from "@std/assert";
import { constants } from "node:os";
import { errnoName, errnoNames, errnoNumber } from "../../tables/errno.ts";
import { needs } from "../machine.ts";

const test = needs("headers");

test("errnoNames() agrees with the host's asm-generic headers", () => {
  const newest = Math.max(...errnoNames().keys());
  let count = 0;
  for (const file of ["errno-base.h", "errno.h"]) {
    const text = Deno.readTextFileSync(`/usr/include/asm-generic/${file}`);
    for (
      const [, name = "", digits = ""] of text.matchAll(
        /^#define\s+(E\w+)\s+(\d+)/gm,
      )
    ) {
      // Headers may be newer than the table.
      if (Number(digits) > newest) continue;
      assertEquals(errnoNames().get(Number(digits)), name);
      assertEquals(errnoNumber(name), Number(digits));
      count++;
    }
  }
  assert(count >= 131, `read ${count} only`);
});

Deno.test("errnoNumber() agrees with node:os on x86 and arm", () => {
  for (const [name, nr] of Object.entries(constants.errno)) {
    assertEquals(errnoNumber(name), nr, name);
  }
});

Deno.test("errnoName() and errnoNumber() answer each other", () => {
  let last = 0;
  for (const [nr, name] of errnoNames()) {
    assert(nr > last, `${name} ${nr} after ${last}`);
    assertEquals(errnoName(nr), name);
    assertEquals(errnoNumber(name), nr);
    last = nr;
  }
  assertEquals(errnoName(1), "EPERM");
  assertEquals(errnoName(11), "EAGAIN");
  assertEquals(errnoName(133), "EHWPOISON");
  for (const nr of [-1, 0, 41, 58, 4095]) {
    assertEquals(errnoName(nr), undefined);
  }
});

Deno.test("errnoNumber() knows second names and no others", () => {
  assertEquals(errnoNumber("EWOULDBLOCK"), 11);
  assertEquals(errnoNumber("EDEADLOCK"), 35);
  assertEquals(errnoNumber("ENOTSUP"), 95);
  for (const name of ["", "eperm", "EPERMS", "1"]) {
    assertEquals(errnoNumber(name), undefined, name);
  }
});
