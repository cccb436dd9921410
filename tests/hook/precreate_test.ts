import { assert, assertEquals, assertMatch } from "@std/assert";
import { gatherContext } from "../../hook/context.ts";
import { startDeadline } from "../../hook/deadline.ts";
import { openLog } from "../../hook/log.ts";
import { rewriteConfig } from "../../hook/precreate.ts";
import { DEFAULTS } from "../../hook/settings.ts";
import { needs, PATIENCE_S } from "../machine.ts";
import { createSetup, smallConfig } from "./shared.ts";

needs("libseccomp")(
  "rewriteConfig() warns of a filter that it cannot store, and of nothing else",
  async () => {
    await using setup = await createSetup();
    const context = await gatherContext(
      { ...DEFAULTS, store: setup.store },
      startDeadline(1000 * PATIENCE_S),
      openLog({ file: setup.logPath }),
    );
    const seen: unknown[] = [];
    for (let i = 0; i < 2; i++) {
      const rewrite = await rewriteConfig(smallConfig(), context);
      assert(rewrite.kind === "added");
      seen.push([rewrite.from, rewrite.warnings]);
    }
    assertEquals(seen, [["compiler", []], ["store", []]]);
    await Deno.remove(setup.store, { recursive: true });
    await Deno.writeTextFile(setup.store, "no folder");
    const { store } = context;
    assert(store !== undefined);
    const full = { ...store, lookup: () => Promise.resolve(undefined) };
    const { warnings } = await rewriteConfig(smallConfig(), {
      ...context,
      store: full,
    });
    assertEquals(warnings.length, 1);
    assertMatch(warnings[0] ?? "", /^Cannot store the filter: [^u]/);
  },
);
