import { assert, assertEquals, assertRejects } from "@std/assert";
import { encode } from "../../bpf/encode.ts";
import { parseText } from "../../bpf/text.ts";
import { gatherContext } from "../../hook/context.ts";
import type { Deadline } from "../../hook/deadline.ts";
import { RefusedError } from "../../hook/error.ts";
import { openLog } from "../../hook/log.ts";
import { rewriteConfig } from "../../hook/precreate.ts";
import { DEFAULTS } from "../../hook/settings.ts";
import { verifyContainer } from "../../hook/state.ts";
import { confinedCommand, statusField } from "../kernel/confined.ts";
import { needs } from "../machine.ts";

/** Polls for half a second, independent of the time of the rest. */
const HALF_A_SECOND: Deadline = { left: () => 1000, check: () => {} };

needs("dump")(
  "verifyContainer() waits for a filter and stops the process once for each that comes",
  async () => {
    const bundle = await Deno.makeTempDir({ prefix: "seccomp-tree-state-" });
    const other = encode(parseText("ld [0]\nret #0x7fff0000\n"));
    const child = confinedCommand({
      filters: [other.toBase64()],
      command: "sleep",
      args: ["3600"],
    }, { stdout: "null", stderr: "null" }).spawn();
    try {
      const context = await gatherContext(
        { ...DEFAULTS, store: undefined, names: "builtin" },
        HALF_A_SECOND,
        openLog("stderr"),
      );
      const rewritten = await rewriteConfig(
        JSON.stringify({
          ociVersion: "1.0.2",
          process: {},
          linux: { seccomp: { defaultAction: "SCMP_ACT_ALLOW" } },
        }),
        context,
      );
      assert(rewritten.kind === "added");
      await Deno.writeTextFile(`${bundle}/config.json`, rewritten.text);
      const { pid } = child;
      while (statusField(pid, "Name") !== "sleep") await Promise.resolve();
      while (statusField(pid, "State")[0] !== "S") await Promise.resolve();
      const switches = (): number =>
        Number(statusField(pid, "voluntary_ctxt_switches"));
      const before = switches();
      const state = { id: "id", status: "running", pid, bundle };
      const error = await assertRejects(
        () => verifyContainer(state, context),
        RefusedError,
      );
      assert(error.message.includes("none of its 1 filters"), error.message);
      while (statusField(pid, "State")[0] !== "S") await Promise.resolve();
      // One for the stop and one for the sleep after it; others may look, too.
      assert(switches() - before < 20, `${switches() - before} switches`);
    } finally {
      child.kill("SIGKILL");
      assertEquals((await child.status).signal, "SIGKILL");
      await Deno.remove(bundle, { recursive: true });
    }
  },
);
