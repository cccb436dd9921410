/** Runs docs/why.md: its commands, in order, with what it shows of them. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { needs } from "../machine.ts";
import { createFolder, shell } from "./harness.ts";

const PAGE = new URL("../../docs/why.md", import.meta.url);

/** The profile and the log that the page names. */
const PROFILE = `{
  "defaultAction": "SCMP_ACT_ALLOW",
  "syscalls": [
    { "names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1 }
  ]
}
`;
const LOG =
  'type=SECCOMP msg=audit(1622229872.180:55): auid=1000 uid=1000 gid=1000 ses=3 subj=unconfined pid=812 comm="mkdir" exe="/usr/bin/mkdir" sig=0 arch=c000003e syscall=83 compat=0 ip=0x7f00deadbeef code=0x50000\n';

needs("x86_64")("docs/why.md: its commands print what it shows", async () => {
  await using folder = await createFolder();
  await folder.write("profile.json", PROFILE);
  await folder.write("audit.log", LOG);
  const page = await Deno.readTextFile(PAGE);
  const blocks = [...page.matchAll(/```(sh|text)\n(.*?)```/gs)];
  assertEquals(blocks.filter(([, kind]) => kind === "sh").length, 6);
  let printed = "";
  for (const [, kind, text = ""] of blocks) {
    if (kind === "text") {
      for (const line of text.trimEnd().split("\n")) {
        assertStringIncludes(printed, line);
      }
      continue;
    }
    const { code, out, err } = await shell(
      `seccomp-tree() { $CLI "$@"; }; set -e\n${text}`,
      { cwd: folder.path },
    );
    assertEquals(code, 0, `${text}${err}`);
    printed = out + err;
  }
});
