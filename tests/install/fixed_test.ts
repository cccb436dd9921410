import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { decodeBase64 } from "../../bpf/base64.ts";
import { decode } from "../../bpf/encode.ts";
import { prepare, run } from "../../bpf/run.ts";
import { toWords } from "../../bpf/seccomp_data.ts";
import { compileFixed, type FixedOptions } from "../../install/fixed.ts";
import { InstallError } from "../../install/error.ts";
import { DEFAULT_PROFILE } from "../../profile/default_profile.ts";
import { ProfileError } from "../../profile/diagnostic.ts";
import { archByName } from "../../tables/arch.ts";

const OPTIONS: FixedOptions = {
  semantics: "crun",
  names: "builtin",
  kernel: { major: 6, minor: 1 },
};
const ALLOW = 0x7fff_0000;

/** The filter's answer to a call of this machine without arguments. */
function answer(filter: string, name: string): number {
  const arch = archByName(Deno.build.arch);
  assert(arch !== undefined);
  const data = {
    nr: arch.syscalls.get(name) ?? -1,
    arch: arch.auditArch,
    instructionPointer: 0n,
    args: [],
  };
  return run(prepare(decode(decodeBase64(filter))), toWords(data, true));
}

Deno.test("compileFixed() reads minKernel as Podman does, and reports where Docker differs", async () => {
  const { filter, findings } = await compileFixed(DEFAULT_PROFILE, OPTIONS);
  assertEquals(answer(filter, "read"), ALLOW);
  // ptrace: minKernel 4.8
  assertEquals(answer(filter, "ptrace"), ALLOW);
  const codes = (list: typeof findings): readonly string[] =>
    list.filter((d) => d.severity === "warning").map((d) => d.code);
  assertEquals(codes(findings), []);
  const old = { ...OPTIONS, kernel: { major: 4, minor: 7 } };
  const other = await compileFixed(DEFAULT_PROFILE, old);
  assertEquals(other.filter, filter);
  assertEquals(codes(other.findings), ["min-kernel"]);
  const unknown = await compileFixed(DEFAULT_PROFILE, {
    ...OPTIONS,
    kernel: undefined,
  });
  assertEquals(unknown.filter, filter);
});

Deno.test("compileFixed() reports errors and warnings of a profile separately", async () => {
  const warned =
    '{"defaultAction":"SCMP_ACT_ERRNO","_note":"x","syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW"}]}';
  const { findings } = await compileFixed(warned, OPTIONS);
  assertEquals(findings[0]?.path, "_note");
  const error = await assertRejects(
    () => compileFixed(warned.replace("ALLOW", "ALOW"), OPTIONS),
    ProfileError,
  );
  assertStringIncludes(error.message, 'did you mean "SCMP_ACT_ALLOW"');
  assertEquals(
    error.diagnostics.find((d) => d.severity === "error")?.path,
    "syscalls[0].action",
  );
});

Deno.test("compileFixed() refuses a profile whose filter the kernel would refuse", async () => {
  const syscalls = Array.from({ length: 2100 }, (_, i) => ({
    names: ["prctl"],
    action: "SCMP_ACT_ERRNO",
    errnoRet: i + 2,
    args: [{ index: 0, op: "SCMP_CMP_EQ", value: i * 7 }],
  }));
  const text = JSON.stringify({ defaultAction: "SCMP_ACT_ALLOW", syscalls });
  const error = await assertRejects(
    () => compileFixed(text, OPTIONS),
    InstallError,
    "the kernel takes 4096",
  );
  assertEquals(error.code, "not-proved");
});
