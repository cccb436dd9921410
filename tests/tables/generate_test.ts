import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type Abi, ABIS } from "../../tables/generate/abi.ts";
import { evaluate, type HeaderTable } from "../../tables/generate/headers.ts";
import {
  mergeTables,
  type NamedLibraryTable,
} from "../../tables/generate/merge.ts";
import { SET_GROUPS } from "../../tables/generate/value_sets.ts";

const X86: Abi = {
  name: "x86",
  constant: "X86",
  suite: "sid",
  triplet: "i386-linux-gnu",
  defines: [],
  audit: "AUDIT_ARCH_I386",
  bits: 32,
};

/** Headers with these calls. */
function headers(syscalls: Record<string, number>): HeaderTable {
  return {
    syscalls: new Map(Object.entries(syscalls)),
    auditArch: 0x4000_0003,
    audit64: false,
    littleEndian: true,
    syscallBit: 0,
  };
}

/** A library with these calls, and `socket` through `socketcall`. */
function library(
  source: string,
  syscalls: Record<string, number>,
  token = 0x4000_0003,
  socket = 1,
): NamedLibraryTable {
  return {
    source,
    token,
    syscalls: new Map(Object.entries(syscalls)),
    multiplexed: new Map([["socketcall", new Map([["socket", socket]])]]),
    known: new Set(Object.keys(syscalls)),
  };
}

/** The message with which merging fails. */
function failure(
  theirs: HeaderTable,
  libraries: readonly NamedLibraryTable[],
): string {
  try {
    mergeTables(X86, theirs, libraries);
  } catch (error) {
    assert(error instanceof Error);
    return error.message;
  }
  return "merged";
}

Deno.test("mergeTables() returns the union and reports missing entries", () => {
  const merged = mergeTables(
    X86,
    headers({ read: 3, write: 4, mseal: 462 }),
    [
      library("old", { read: 3, write: 4, socketcall: 102 }),
      library("new", { read: 3, tuxcall: 184 }),
    ],
  );
  assertEquals(Object.fromEntries(merged.syscalls), {
    read: 3,
    write: 4,
    socketcall: 102,
    tuxcall: 184,
    mseal: 462,
  });
  assertEquals(merged.headersOnly, ["mseal"]);
  assertEquals(merged.librariesOnly, ["socketcall", "tuxcall"]);
  assertEquals(merged.multiplexers, [
    { nr: 102, calls: new Map([["socket", 1]]) },
  ]);
});

Deno.test("mergeTables() ignores pseudo numbers without a multiplexer", () => {
  const merged = mergeTables(X86, headers({}), [library("old", { read: 3 })]);
  assertEquals(merged.multiplexers, []);
});

Deno.test("mergeTables() omits the headers' second names", () => {
  const merged = mergeTables(
    X86,
    headers({ arm_sync_file_range: 341, sync_file_range2: 341 }),
    [library("old", { arm_sync_file_range: 341 })],
  );
  assertEquals([...merged.syscalls], [["arm_sync_file_range", 341]]);
  assertEquals(merged.aliases, ["sync_file_range2 of arm_sync_file_range"]);
});

Deno.test("mergeTables() fails if sources contradict, and names both", () => {
  const read = { read: 3 };
  assertEquals(
    failure(headers({ read: 63 }), [library("old", read)]),
    "Cannot merge x86: read is 63 in the headers and 3 in libseccomp",
  );
  assertEquals(
    failure(headers({ pread: 3 }), [library("old", read)]),
    "Cannot merge x86: 3 is pread in the headers and read in libseccomp",
  );
  assertEquals(
    failure(headers({}), [library("old", read), library("new", { read: 4 })]),
    "Cannot merge x86: read is 3 in old and 4 in new",
  );
  assertEquals(
    failure(headers({}), [library("old", read), library("new", { get: 3 })]),
    "Cannot merge x86: 3 is both read and get",
  );
  assertEquals(
    failure(headers({ mseal: 462, mseal2: 462 }), [library("old", read)]),
    "Cannot merge x86: 462 is both mseal and mseal2",
  );
  assertStringIncludes(
    failure(headers({}), [library("old", read, 0x4000_0028)]),
    "x86 is 0x40000028 in old and 0x40000003 in linux/audit.h",
  );
  const wired = { socketcall: 102 };
  assertEquals(
    failure(headers(wired), [
      library("old", wired),
      library("new", wired, 0x4000_0003, 2),
    ]),
    "Cannot merge x86: socketcall has socket at 1 and, in new, at 2",
  );
});

Deno.test("evaluate() adds and joins what headers write", () => {
  const cases: readonly [string, number][] = [
    ["291", 291],
    ["(0x40000000 + 291)", 0x4000_0123],
    ["((0+0x0f0000)+5)", 0xf_0005],
    ["(62|0x80000000|0x40000000)", 0xc000_003e],
    ["(4000 + 183)", 4183],
    ["0x80000000UL", 0x8000_0000],
  ];
  for (const [text, value] of cases) assertEquals(evaluate(text), value, text);
  for (const text of ["", "__NR_x", "1 << 2", "1+2|3", "2*3", "-1"]) {
    let message = "evaluated";
    try {
      evaluate(text);
    } catch (error) {
      if (error instanceof SyntaxError) message = error.message;
    }
    assertStringIncludes(message, "not a sum or union", text);
  }
});

Deno.test("generated files name their source, and nothing about the machine", async () => {
  const tables = new URL("../../tables/", import.meta.url);
  const files = [
    ...ABIS.map(({ name }) => `syscalls/${name}.ts`),
    "syscalls/other.ts",
    "errno_data.ts",
    ...SET_GROUPS.map(({ file }) => `values/${file}.ts`),
  ];
  for (const file of files) {
    const text = await Deno.readTextFile(new URL(file, tables));
    const [head = ""] = text.split("*/");
    assertStringIncludes(head.replace(/\s*\n \*\s*/g, " "), "do not edit");
    assert(/linux-libc-dev \d+\.\d+/.test(head), file);
    assert(!/https?:|\/tmp|\/usr|\/home|\/work/.test(text), file);
  }
  const present = new Set<string>();
  for (const folder of ["syscalls", "values"]) {
    for await (const { name } of Deno.readDir(new URL(`${folder}/`, tables))) {
      present.add(`${folder}/${name}`);
    }
  }
  const inFolders = files.filter((file) => file.includes("/"));
  assertEquals([...present].sort(), inFolders.sort());
});
