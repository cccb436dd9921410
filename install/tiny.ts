/**
 * A program of about 150 bytes that waits forever, so that a trial container
 * needs neither an image nor a program of the host.
 *
 * @module
 */

/** Address of the file in memory. */
const BASE = 0x40_0000;
const EHDR = 64;
const PHDR = 56;

/** Machine code by architecture: `for (;;) wait`. */
const CODE: Readonly<
  Record<string, { readonly machine: number; readonly code: Uint8Array }>
> = {
  // mov eax, 34 (pause); syscall; jmp -9
  "x86_64": {
    machine: 62,
    code: new Uint8Array([0xb8, 34, 0, 0, 0, 0x0f, 0x05, 0xeb, 0xf7]),
  },
  // x0..x3 = 0; x8 = 73 (ppoll); svc 0; b -24
  "aarch64": {
    machine: 183,
    code: new Uint8Array(
      new Uint32Array([
        0xd280_0000,
        0xd280_0001,
        0xd280_0002,
        0xd280_0003,
        0xd280_0928,
        0xd400_0001,
        0x17ff_fffa,
      ]).buffer,
    ),
  },
};

/**
 * Writes the program.
 *
 * @param arch Architecture of this machine.
 * @returns An ELF file (elf(5)) with one segment.
 * @throws {RangeError} if there is no such program for the architecture.
 */
export function tinyPause(
  arch: string = Deno.build.arch,
): Uint8Array<ArrayBuffer> {
  const program = CODE[arch];
  if (program === undefined) {
    throw new RangeError(
      `Cannot try a container on ${arch}: it has no trial program`,
    );
  }
  const { machine, code } = program;
  const size = EHDR + PHDR + code.length;
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]); // ELF, 64 bits, little-endian
  view.setUint16(16, 2, true); // ET_EXEC
  view.setUint16(18, machine, true);
  view.setUint32(20, 1, true);
  view.setBigUint64(24, BigInt(BASE + EHDR + PHDR), true); // entry
  view.setBigUint64(32, BigInt(EHDR), true); // program headers
  view.setUint16(52, EHDR, true);
  view.setUint16(54, PHDR, true);
  view.setUint16(56, 1, true);
  view.setUint32(EHDR, 1, true); // PT_LOAD
  view.setUint32(EHDR + 4, 5, true); // read, execute
  view.setBigUint64(EHDR + 16, BigInt(BASE), true);
  view.setBigUint64(EHDR + 24, BigInt(BASE), true);
  view.setBigUint64(EHDR + 32, BigInt(size), true);
  view.setBigUint64(EHDR + 40, BigInt(size), true);
  view.setBigUint64(EHDR + 48, 0x1000n, true);
  bytes.set(code, EHDR + PHDR);
  return bytes;
}

/** Size of a block of a tar file in bytes. */
const BLOCK = 512;

/**
 * Packs one executable file as an image's file system.
 *
 * @param name Its name.
 * @param content Its content.
 * @returns A tar file (POSIX ustar).
 */
export function tarOf(
  name: string,
  content: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const blocks = Math.ceil(content.length / BLOCK);
  const bytes = new Uint8Array((1 + blocks + 2) * BLOCK);
  const put = (at: number, text: string): void =>
    bytes.set(new TextEncoder().encode(text), at);
  const octal = (value: number): string =>
    `${value.toString(8).padStart(11, "0")}\0`;
  put(0, name);
  put(100, "0000755\0");
  put(108, "0000000\0");
  put(116, "0000000\0");
  put(124, octal(content.length));
  put(136, octal(0));
  put(148, " ".repeat(8)); // the checksum field counts as blanks
  put(156, "0");
  put(257, "ustar\x0000");
  const sum = bytes.subarray(0, BLOCK).reduce((a, b) => a + b, 0);
  put(148, `${sum.toString(8).padStart(6, "0")}\0 `);
  bytes.set(content, BLOCK);
  return bytes;
}
