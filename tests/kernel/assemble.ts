/**
 * Small programs that load filters, made by GNU as: they make exactly the calls
 * that a test names.
 *
 * @module
 */

import { assertEquals } from "@std/assert";

/** Bits of the program's instructions. */
export type Bits = 32 | 64;

/**
 * Makes a static program.
 *
 * @param folder Folder for it.
 * @param name Name of the file.
 * @param source Assembler text in Intel syntax; `_start` is where it begins.
 * @returns Its path.
 */
export async function assembleProgram(
  folder: string,
  name: string,
  source: string,
  bits: Bits = 64,
): Promise<string> {
  const path = `${folder}/${name}`;
  await Deno.writeTextFile(`${path}.s`, source);
  await tool("as", [`--${bits}`, `${path}.s`, "-o", `${path}.o`]);
  const machine = bits === 64 ? "elf_x86_64" : "elf_i386";
  await tool("ld", ["-m", machine, `${path}.o`, "-o", path]);
  return path;
}

async function tool(command: string, args: readonly string[]): Promise<void> {
  const { code, stderr } = await new Deno.Command(command, {
    args: [...args],
  }).output();
  assertEquals(code, 0, new TextDecoder().decode(stderr));
}

/**
 * Writes a `struct sock_fprog` named `label`: a filter that answers `errno` to
 * call 9999.
 */
export function filterData(label: string, errno: number, bits: Bits): string {
  const pointer = bits === 64 ? ".balign 8\n.quad" : ".balign 4\n.long";
  return `
.balign 8
${label}: .short 4
${pointer} ${label}_code
${label}_code:
.short 0x20; .byte 0, 0; .long 0
.short 0x15; .byte 0, 1; .long 9999
.short 0x06; .byte 0, 0; .long ${0x0005_0000 + errno}
.short 0x06; .byte 0, 0; .long 0x7fff0000
`;
}

/** The bytes of such a filter. */
export function filterBytes(errno: number): Uint8Array<ArrayBuffer> {
  const rows = [
    [0x20, 0, 0, 0],
    [0x15, 0, 1, 9999],
    [0x06, 0, 0, 0x0005_0000 + errno],
    [0x06, 0, 0, 0x7fff_0000],
  ] as const;
  const view = new DataView(new ArrayBuffer(8 * rows.length));
  for (const [i, [code, jt, jf, k]] of rows.entries()) {
    view.setUint16(8 * i, code, true);
    view.setUint8(8 * i + 2, jt);
    view.setUint8(8 * i + 3, jf);
    view.setUint32(8 * i + 4, k, true);
  }
  return new Uint8Array(view.buffer);
}

const REGISTERS: Readonly<Record<Bits, readonly string[]>> = {
  64: ["rdi", "rsi", "rdx", "r10", "r8"],
  32: ["ebx", "ecx", "edx", "esi", "edi"],
};

/**
 * Writes one call.
 *
 * @param nr Number of the call.
 * @param args Numbers, or labels after `&`.
 */
export function callText(
  bits: Bits,
  nr: number,
  ...args: readonly (number | string)[]
): string {
  const lines = args.map((arg, i) => {
    const register = REGISTERS[bits][i];
    if (typeof arg === "number") return `mov ${register}, ${arg}`;
    const label = arg.slice(1);
    return bits === 64
      ? `lea ${register}, [rip + ${label}]`
      : `mov ${register}, offset ${label}`;
  });
  return [...lines, `mov eax, ${nr}`, bits === 64 ? "syscall" : "int 0x80", ""]
    .join("\n");
}
