import { assert, assertEquals, assertMatch } from "@std/assert";
import { encode } from "../../bpf/encode.ts";
import { gatherContext } from "../../hook/context.ts";
import { startDeadline } from "../../hook/deadline.ts";
import { compareWithHost } from "../../hook/host_reference.ts";
import { openLog } from "../../hook/log.ts";
import { rewriteConfig } from "../../hook/precreate.ts";
import { DEFAULTS } from "../../hook/settings.ts";
import { needs, PATIENCE_S } from "../machine.ts";
import { dockerConfig, SMALL_SECTION, smallConfig } from "./shared.ts";

const test = needs("libseccomp", "x86_64");

test("compareWithHost() proves filters equal to those of the host's libseccomp, and names a call that differs", async () => {
  const context = await gatherContext(
    { ...DEFAULTS, store: undefined, names: "host" },
    startDeadline(1000 * PATIENCE_S),
    openLog("stderr"),
  );
  const { environment } = context;
  const masked = SMALL_SECTION.replace(
    "[{",
    '[{"names":["clone"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":18446744073709551615,"valueTwo":7,"op":"SCMP_CMP_MASKED_EQ"}]},{',
  );
  for (const text of [dockerConfig(), smallConfig({ section: masked })]) {
    const rewrite = await rewriteConfig(text, context);
    assert(rewrite.kind === "added");
    assertEquals(await compareWithHost(rewrite.entry, environment), {
      kind: "equal",
    });
  }
  const allow = encode([{ op: "ret.k", jt: 0, jf: 0, k: 0x7fff_0000 }]);
  const entry = { bytes: allow, section: SMALL_SECTION };
  const found = await compareWithHost(entry, environment);
  assert(found.kind === "different");
  assertMatch(found.detail, /gets ALLOW, from the host's libseccomp /);
});

test("compareWithHost() says why it asks nobody", async () => {
  const context = await gatherContext(
    { ...DEFAULTS, store: undefined, names: "host", semantics: "runc@1.1.5" },
    startDeadline(1000 * PATIENCE_S),
    openLog("stderr"),
  );
  const entry = { bytes: new Uint8Array(), section: SMALL_SECTION };
  const { kind } = await compareWithHost(entry, context.environment);
  assertEquals(kind, "not-asked");
});
