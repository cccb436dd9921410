import { assertEquals } from "@std/assert";
import { readFirecracker } from "../../../profile/foreign/firecracker.ts";
import { needs, sharedFile } from "../../machine.ts";
import { answer, archOf, problems } from "./shared.ts";

const native = archOf("x86_64");

/** One filter with these rules. */
function filterOf(rules: readonly unknown[], more: object = {}): string {
  return JSON.stringify({
    vmm: {
      default_action: "trap",
      filter_action: "allow",
      filter: rules,
      ...more,
    },
  });
}

const ARG = { index: 1, type: "qword", op: "eq", val: 5 } as const;

Deno.test("readFirecracker() reads comparisons as libseccomp makes them", () => {
  const text = filterOf([
    { syscall: "read", comment: "of anything" },
    { syscall: "ioctl", args: [{ ...ARG, type: "dword", val: 0x5421 }] },
    { syscall: "lseek", args: [ARG] },
    { syscall: "lseek", args: [{ ...ARG, op: "gt", val: 100 }] },
    {
      syscall: "mmap",
      args: [{ ...ARG, index: 3, op: { masked_eq: 6 }, val: 2 }, ARG],
    },
    { syscall: "open", args: null },
  ]);
  const read = readFirecracker(text, { native });
  const cases: Readonly<Record<string, string>> = {
    read: "ALLOW",
    // Double words have no high half.
    "ioctl 0 0x100005421": "ALLOW",
    "ioctl 0 0x5422": "TRAP",
    "lseek 0 5": "ALLOW",
    "lseek 0 0x100000005": "ALLOW",
    "lseek 0 100": "TRAP",
    "mmap 0 5 0 3": "ALLOW",
    "mmap 0 5 0 6": "TRAP",
    "mmap 0 6 0 3": "TRAP",
    open: "ALLOW",
    write: "TRAP",
    "x32:read": "KILL_THREAD",
    "x86:read": "KILL_THREAD",
  };
  for (const [call, wanted] of Object.entries(cases)) {
    assertEquals(answer(read, call), wanted, call);
  }
  assertEquals(read.diagnostics, []);
});

Deno.test("readFirecracker() reports rules that older versions read differently", () => {
  const read = readFirecracker(
    filterOf([{
      syscall: "lseek",
      args: [{ ...ARG, type: "dword", op: "ge" }],
    }]),
    { native },
  );
  assertEquals(read.diagnostics.map(({ message }) => message), [
    "Firecracker compares 64 bits here, and 32 before version 1.11",
  ]);
});

Deno.test("readFirecracker() reports problems", () => {
  const read = (text: string, category?: string) => () =>
    readFirecracker(text, { native, category });
  const two =
    '{"vmm":{"default_action":"trap","filter_action":"allow","filter":[]},"api":{"default_action":"trap","filter_action":"allow","filter":[]}}';
  const cases: readonly (readonly [() => unknown, readonly string[]])[] = [
    [read(two), ['Cannot choose among 2 filters: "vmm", "api"']],
    [read(two, "vcpu"), ['Cannot find the category "vcpu"']],
    [read("[]"), ["Cannot find a filter of Firecracker"]],
    [
      read(filterOf([{ syscall: "raed" }, { args: [] }, 7])),
      [
        'Unknown system call "raed" on x86_64',
        'Missing "syscall"',
        "A rule is not an object",
      ],
    ],
    [
      read(filterOf([{ syscall: "read", args: [ARG, ARG] }])),
      ["Two comparisons are of one argument, which libseccomp refuses"],
    ],
    [
      read(filterOf([{ syscall: "read", args: [{ ...ARG, index: 6 }] }])),
      ['Cannot read "index"'],
    ],
    [
      read(filterOf([{ syscall: "read", args: [{ ...ARG, op: "eqq" }] }])),
      ['Cannot read "op"'],
    ],
    [
      read(filterOf([], { default_action: { errno: 70000 } })),
      ['Cannot read "default_action"'],
    ],
    [
      read(filterOf([{ syscall: "read" }], { default_action: "allow" })),
      ["Both actions are the same, which libseccomp refuses"],
    ],
  ];
  for (const [work, wanted] of cases) {
    assertEquals(problems(work).map(withoutPlace), wanted);
  }
  assertEquals(
    problems(() => readFirecracker(filterOf([]), { native: archOf("s390x") })),
    ["1:1 Cannot read a filter of Firecracker for s390x"],
  );
});

Deno.test("readFirecracker() gives problems their places", () => {
  const text = `{ "vmm": {
  "default_action": "trap",
  "filter_action": "allow",
  "filter": [{ "syscall": "raed" }]
} }`;
  assertEquals(problems(() => readFirecracker(text, { native })), [
    '4:27 Unknown system call "raed" on x86_64',
  ]);
});

function withoutPlace(text: string): string {
  return text.replace(/^\d+:\d+ /, "");
}

needs("shared")(
  "readFirecracker() reads Firecracker's own filters",
  async () => {
    const text = await Deno.readTextFile(
      sharedFile("profiles/firecracker-x86_64.json"),
    );
    for (const category of ["vmm", "api", "vcpu"]) {
      const read = readFirecracker(text, { native, category });
      assertEquals(answer(read, "mount"), "TRAP", category);
      assertEquals(answer(read, "exit"), "ALLOW", category);
      assertEquals(read.diagnostics, [], category);
    }
  },
);
