import { assertEquals } from "@std/assert";
import { has, needs } from "../machine.ts";
import { ALLOWED, buildProbe, type ProbeRow, readVerdicts } from "./probe.ts";

const I386_ROWS: readonly ProbeRow[] = [
  { abi: "int80", nr: 1, args: [1n] }, // exit
  { abi: "int80", nr: 0xffff_ffff, args: [] },
];

const test = needs("x86_64", "instruction-pointer");

test("buildProbe() asks about calls without executing them", async () => {
  const rows: readonly ProbeRow[] = [
    { abi: "syscall", nr: 231, args: [1n] }, // exit_group
    { abi: "syscall", nr: 62, args: [0xffff_ffff_ffff_ffffn, 9n] }, // kill(-1, 9)
    { abi: "syscall", nr: 57, args: [] }, // fork
    { abi: "syscall", nr: 0x4000_0039, args: [] }, // fork of x32
    { abi: "syscall", nr: 0xffff_ffff, args: [] },
    { abi: "syscall", nr: 169, args: [0xfee1_deadn, 672_274_793n, 0n] }, // reboot
    ...(has("i386", "calls by int $0x80 of the probe") ? I386_ROWS : []),
  ];
  const { code, verdicts } = await runProbe(rows);
  assertEquals(code, 0);
  assertEquals(verdicts, rows.map(() => ALLOWED));
});

test("buildProbe() carries out the rows that say so", async () => {
  const { code, verdicts } = await runProbe([
    { abi: "executed", nr: 3, args: [0xffff_ffff_ffff_ffffn] }, // close(-1)
    { abi: "syscall", nr: 3, args: [0xffff_ffff_ffff_ffffn] },
    { abi: "executed", nr: 135, args: [0xffff_ffffn] }, // personality: query
    { abi: "executed", nr: 60, args: [7n] }, // exit
  ]);
  assertEquals(code, 7, "the last row ended the program");
  assertEquals(verdicts, []);
  const rest = await runProbe([
    { abi: "executed", nr: 3, args: [0xffff_ffff_ffff_ffffn] },
    { abi: "syscall", nr: 3, args: [0xffff_ffff_ffff_ffffn] },
    { abi: "executed", nr: 135, args: [0xffff_ffffn] },
  ]);
  assertEquals(rest, { code: 0, verdicts: [-9, ALLOWED, 0] });
});

async function runProbe(
  rows: readonly ProbeRow[],
): Promise<{ code: number; verdicts: number[] }> {
  const directory = await Deno.makeTempDir({ prefix: "seccomp-tree-" });
  try {
    const path = `${directory}/probe`;
    await Deno.writeFile(path, buildProbe(rows), { mode: 0o755 });
    const { code, stdout } = await new Deno.Command(path).output();
    return {
      code,
      verdicts: code === 0 ? readVerdicts(stdout, rows.length) : [],
    };
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}
