import { assert, assertEquals, assertMatch } from "@std/assert";
import { decodeFilter } from "../../bpf/filter.ts";
import type { Program } from "../../bpf/instruction.ts";
import { convert } from "../../pipeline/convert/convert.ts";
import {
  CONVERT_FORMATS,
  type Converted,
  type ConvertFormat,
} from "../../pipeline/convert/result.ts";
import { compilePolicy } from "../../pipeline/compile_profile.ts";
import { DEFAULT_PROFILE } from "../../profile/default_profile.ts";
import { readFirecracker } from "../../profile/foreign/firecracker.ts";
import type { ForeignPolicy } from "../../profile/foreign/foreign_policy.ts";
import { readLxc } from "../../profile/foreign/lxc.ts";
import { readMinijail } from "../../profile/foreign/minijail.ts";
import { readSystemd } from "../../profile/foreign/systemd.ts";
import { parseProfile } from "../../profile/formats/parse.ts";
import { archByName } from "../../tables/arch.ts";
import { proveEquivalent } from "../../verify/equivalence.ts";

const native = archByName("x86_64") ?? unreachable();
const TARGET = { arch: ["x86_64"], kernel: { major: 6, minor: 1 } } as const;

function unreachable(): never {
  throw new Error("Unreachable: no x86_64");
}

/** An OCI profile. */
function profileOf(
  fallback: string,
  entries: readonly object[],
  more: object = {},
): { readonly profile: ReturnType<typeof parseProfile> } {
  const text = JSON.stringify({
    defaultAction: `SCMP_ACT_${fallback}`,
    architectures: ["SCMP_ARCH_X86_64"],
    syscalls: entries,
    ...more,
  });
  return { profile: parseProfile(text, { kind: "oci" }) };
}

function entry(
  names: string,
  action: string,
  ...args: readonly (readonly [number, string, number | bigint, number?])[]
): object {
  const [word, errnoRet] = action.split(" ");
  return {
    names: names.split(" "),
    action: `SCMP_ACT_${word}`,
    ...(errnoRet === undefined ? {} : { errnoRet: Number(errnoRet) }),
    args: args.map(([index, op, value, valueTwo]) => ({
      index,
      op: `SCMP_CMP_${op}`,
      value: Number(value),
      ...(valueTwo === undefined ? {} : { valueTwo }),
    })),
  };
}

function converted(
  input: Parameters<typeof convert>[0],
  format: ConvertFormat,
  more: object = {},
): Converted {
  const result = convert(input, TARGET, { format, ...more });
  assert(result.kind === "converted", Deno.inspect(result));
  return result;
}

/** Losses as short lines. */
function losses(result: Converted): readonly string[] {
  return result.losses.map(({ effect, part }) => `${effect}: ${part}`);
}

/** A policy of another tool, as the command line loads it. */
function filterOf({ policy }: ForeignPolicy): {
  readonly filter: {
    readonly programs: Program[];
    readonly littleEndian: boolean;
  };
} {
  const filter = compilePolicy(policy);
  assert(filter.kind === "proved");
  const { program, littleEndian } = filter;
  return { filter: { programs: [program], littleEndian } };
}

const SMALL = profileOf("KILL_THREAD", [
  entry("read write exit_group", "ALLOW"),
  entry("socket", "ALLOW", [0, "EQ", 1]),
  entry("lseek", "ALLOW", [1, "GT", 100], [2, "LE", 5]),
  entry("mmap", "ALLOW", [2, "MASKED_EQ", 6, 2]),
]);

Deno.test("convert() says a list of permitted calls with conditions in every format but one", () => {
  for (const format of CONVERT_FORMATS) {
    const result = converted(SMALL, format);
    const wanted = format === "systemd"
      ? [
        // It has no KILL_THREAD, and compares no arguments.
        "other",
        "stricter: lseek, mmap, socket on x86_64",
      ]
      : [];
    const said = losses(result);
    if (format !== "systemd") assertEquals(said, wanted, format);
    else {
      assert(said.includes(wanted[1] ?? ""), Deno.inspect(said));
      assert(!said.some((line) => line.startsWith("looser")));
    }
  }
});

Deno.test("convert() reads back what it wrote, in every format with a reader", () => {
  const minijail = converted(SMALL, "minijail");
  assertMatch(minijail.text ?? "", /^socket: arg0 == 0x1$/m);
  assertMatch(minijail.text ?? "", /^mmap: arg2 in 0x\w+ && arg2 & 0x2$/m);
  const firecracker = converted(SMALL, "firecracker", { categories: ["vmm"] });
  assertMatch(
    firecracker.text ?? "",
    /"type": "qword", "op": \{ "masked_eq": 6 \}, "val": 2/,
  );
  const pairs: readonly (readonly [string, Converted, ForeignPolicy])[] = [
    [
      "minijail",
      minijail,
      readMinijail(minijail.text ?? "", { native }),
    ],
    [
      "firecracker",
      firecracker,
      readFirecracker(firecracker.text ?? "", { native }),
    ],
  ];
  for (const [name, result, read] of pairs) {
    assertEquals(
      proveEquivalent(read.policy, result.policy).kind,
      "equal",
      name,
    );
    // And from there to a profile, which is the first one.
    const back = converted(filterOf(read), "oci", { arches: [native] });
    assertEquals(losses(back), [], name);
    const whole = converted(SMALL, "oci");
    assertEquals(back.text, whole.text, name);
  }
});

Deno.test("convert() writes the strictest answer where a format has one", () => {
  const input = profileOf("ERRNO", [
    entry("read", "ALLOW"),
    entry("clone3", "ERRNO 38"),
    entry("write", "LOG"),
    entry("ptrace", "TRACE 7"),
    entry("close", "ALLOW", [0, "NE", 3]),
  ]);
  assertEquals(losses(converted(input, "systemd")), [
    "stricter: close on x86_64",
    "stricter: ptrace on x86_64",
  ]);
  const unit = converted(input, "systemd").text ?? "";
  assertMatch(unit, /^SystemCallErrorNumber=EPERM$/m);
  assertMatch(unit, /^SystemCallFilter=~clone3:ENOSYS ptrace:ENOSYS$/m);
  assertMatch(unit, /^SystemCallLog=write$/m);
  assertMatch(unit, /^SystemCallArchitectures=x86-64$/m);
  assertEquals(losses(converted(input, "firecracker")), [
    "stricter: write on x86_64",
    "stricter: ptrace on x86_64",
    "other: clone3 on x86_64",
  ]);
  assertEquals(losses(converted(input, "minijail")), [
    "stricter: write on x86_64",
    "stricter: ptrace on x86_64",
    "other: numbers without a call on x86_64",
  ]);
  // Its error stays, because the call has a line of its own.
  assertMatch(
    converted(input, "minijail").text ?? "",
    /^clone3: return ENOSYS$/m,
  );
  assertMatch(
    converted(input, "minijail").text ?? "",
    /^close: arg0 != 0x3; return EPERM$/m,
  );
});

Deno.test("convert() denies listed calls where others are permitted", () => {
  const input = profileOf("ALLOW", [
    entry("ptrace", "ERRNO"),
    entry("mount", "KILL_PROCESS"),
    entry("socket", "ERRNO", [0, "EQ", 38]),
  ]);
  // One answer for all listed calls: the strictest.
  assertEquals(losses(converted(input, "firecracker")), [
    "other: ptrace, socket on x86_64",
  ]);
  const unit = converted(input, "systemd");
  assertEquals(losses(unit), ["stricter: socket on x86_64"]);
  assertMatch(
    unit.text ?? "",
    /^SystemCallFilter=~mount:kill ptrace:EPERM socket:EPERM$/m,
  );
});

Deno.test("convert() logs what a unit logs, also if that is everything", () => {
  const all = converted(profileOf("LOG", []), "systemd");
  assertEquals(losses(all), []);
  const most = profileOf("LOG", [
    entry("read", "ALLOW"),
    entry("mount", "ERRNO"),
  ]);
  const unit = converted(most, "systemd");
  assertEquals(losses(unit), []);
  assertMatch(unit.text ?? "", /^SystemCallLog=~read$/m);
});

Deno.test("convert() keeps to what the operator's objects can say", () => {
  const input = profileOf("ERRNO", [
    entry("read write", "ALLOW"),
    entry("open", "ERRNO 0"),
  ], { defaultErrnoRet: 38 });
  const result = converted(input, "spo");
  assertEquals(losses(result), [
    "other: open on x86_64",
    "other: numbers without a call on x86_64",
  ]);
  const { section } = result;
  assertEquals(section?.defaultErrnoRet, undefined);
  // All other calls keep their error.
  const denied = section?.syscalls.find(({ errnoRet }) => errnoRet === 38);
  assert(denied?.names.includes("mount"), Deno.inspect(section));
  const large = profileOf("ALLOW", [
    entry("lseek", "ERRNO", [1, "GT", 2n ** 63n]),
  ]);
  assertEquals(losses(converted(large, "spo")), ["stricter: lseek on x86_64"]);
  // A wide mask becomes the few values that it stands for.
  const flags = profileOf(
    "ERRNO",
    [0, 8, 0x20000, 0x20008].map((value) =>
      entry("personality", "ALLOW", [0, "EQ", value])
    ),
  );
  assertEquals(losses(converted(flags, "spo")), []);
});

Deno.test("convert() reads filters, and rounds what no profile compares", () => {
  const policy = readMinijail("read: 1\nsocket: arg0 & 0x6\n", { native });
  const profile = converted(filterOf(policy), "docker");
  assertEquals(losses(profile), []);
  const deny = readMinijail("@denylist\nptrace: return EPERM\n", { native });
  // Numbers of x32 are permitted, so the profile lists it.
  const open = converted(filterOf(deny), "oci");
  assertEquals(losses(open), ["stricter: ptrace on x32"]);
  assertEquals(open.section?.architectures, [
    "SCMP_ARCH_X86_64",
    "SCMP_ARCH_X32",
  ]);
  // Permits calls from the first page only: no profile reads the pointer.
  const pointer = decodeFilter(
    new Uint8Array(
      Uint32Array.of(0x20, 12, 0x0100_0015, 0, 6, 0x7fff_0000, 6, 0x0005_0001)
        .buffer,
    ),
    { littleEndian: true },
  ).program;
  const rounded = convert({ filter: { programs: [pointer] } }, TARGET, {
    format: "oci",
    arches: [native],
  });
  assert(rounded.kind === "converted", Deno.inspect(rounded));
  assert(rounded.losses.every(({ effect }) => effect === "stricter"));
  assert(rounded.losses.some(({ calls }) => calls.includes("read")));
});

Deno.test("convert() reads LXC's and systemd's policies for all architectures", () => {
  const lxc = readLxc("2\ndenylist\nkexec_load errno 1\nmount errno 38\n", {
    native,
  });
  const profile = converted(filterOf(lxc), "docker");
  assertEquals(losses(profile), []);
  assertEquals(profile.section?.architectures, [
    "SCMP_ARCH_X86_64",
    "SCMP_ARCH_X86",
    "SCMP_ARCH_X32",
  ]);
  // Restricted to one, the others are killed.
  const restricted = converted(filterOf(lxc), "oci", { arches: [native] });
  assertEquals(restricted.section?.architectures, ["SCMP_ARCH_X86_64"]);
  assertEquals(losses(restricted), []);
  const unit = readSystemd(
    "SystemCallFilter=@system-service\nSystemCallArchitectures=native\n",
    { native },
  );
  const service = converted(filterOf(unit), "oci");
  assertEquals(losses(service), []);
  assertEquals(service.section?.defaultAction, "SCMP_ACT_KILL_PROCESS");
});

Deno.test("convert() loses fields that a filter does not have", () => {
  const input = profileOf("ERRNO", [entry("read", "ALLOW")], {
    flags: ["SECCOMP_FILTER_FLAG_LOG"],
    listenerPath: "/run/agent.sock",
  });
  assertEquals(losses(converted(input, "bwrap")), [
    "other: flags SECCOMP_FILTER_FLAG_LOG",
    "other: listenerPath",
  ]);
  assertEquals(losses(converted(input, "spo")), ["other: listenerPath"]);
  const { text } = converted(input, "oci");
  assertEquals(JSON.parse(text ?? "").listenerPath, "/run/agent.sock");
});

Deno.test("convert() puts a profile into the configuration that it came from", () => {
  const config = `{
  "ociVersion": "1.0.2",
  "process": { "rlimits": [{ "hard": 18446744073709551615 }] },
  "linux": {
    "seccomp": {"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_X86_64"],"syscalls":[{"names":["read","read"],"action":"SCMP_ACT_ALLOW"}]},
    "namespaces": []
  }
}
`;
  const result = converted({ profile: parseProfile(config) }, "config");
  assertEquals(
    result.text,
    config.replace(
      /\{"defaultAction.*\]\}/,
      `{
      "defaultAction": "SCMP_ACT_ERRNO",
      "architectures": [
        "SCMP_ARCH_X86_64"
      ],
      "syscalls": [
        {
          "names": [
            "read"
          ],
          "action": "SCMP_ACT_ALLOW"
        }
      ]
    }`,
    ),
  );
  const alone = converted(SMALL, "config").text ?? "";
  assertEquals(parseProfile(alone).kind, "config");
});

Deno.test("convert() finds no losses of Docker's default in profiles", () => {
  const input = { profile: parseProfile(DEFAULT_PROFILE) };
  for (const format of ["oci", "k8s", "spo"] as const) {
    assertEquals(losses(converted(input, format)), [], format);
  }
});

Deno.test("convert() has no result for a machine without the tool, or without steps", () => {
  const arm = { arch: ["arm"], kernel: { major: 6, minor: 1 } } as const;
  const input = profileOf("ALLOW", [], { architectures: ["SCMP_ARCH_ARM"] });
  const none = convert(input, arm, { format: "firecracker" });
  assert(none.kind === "unconvertible");
  assertMatch(none.reason, /no filters for arm/);
  const limited = convert(SMALL, TARGET, {
    format: "oci",
    limits: { nodes: 100 },
  });
  assertEquals(limited.kind, "unproved");
});
