import { assertEquals } from "@std/assert";
import { parseVmallocinfo } from "../../bench/experiments/memory.ts";

Deno.test("parseVmallocinfo() adds up packs and programs without guard pages", () => {
  const text =
    `0x0000000037a4da53-0x00000000bb799a6b    8192 bpf_prog_alloc_no_stats+0x39/0x230 pages=1 vmalloc N0=1
0x00000000306b21f6-0x000000009f011d84   16384 bpf_prog_realloc+0x62/0xf0 pages=3 vmalloc N0=3
0x00000000a1a72444-0x00000000130862f6 2101248 bpf_prog_pack_alloc+0x28b/0x3a0 pages=512 vmalloc N0=512
0x00000000a1a72445-0x00000000130862f7 2101248 bpf_prog_pack_alloc+0x28b/0x3a0 pages=512 vmalloc N0=512
0x00000000a60832c7-0x000000008161cd43   20480 unpurged vm_area
`;
  assertEquals(parseVmallocinfo(text), {
    packs: 2,
    packBytes: 2 * 2 ** 20,
    programBytes: 4096 + 3 * 4096,
  });
});

Deno.test("parseVmallocinfo() returns undefined if no pack is listed", () => {
  assertEquals(
    parseVmallocinfo(
      "0x0000000000000000-0x0000000000000000 8192 load_module+0x1/0x2\n",
    ),
    undefined,
  );
});
