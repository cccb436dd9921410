import { assert, assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { needs } from "../machine.ts";
import type { Report } from "./disturbed.ts";

/** Fewer or more on another machine; `deno task disturbed` makes 500. */
const STARTS = Deno.env.get("SECCOMP_TREE_STARTS") ?? "60";
const SEED = Deno.env.get("SECCOMP_TREE_SEED") ?? "20261130";

const PROGRAM = fromFileUrl(new URL("disturbed.ts", import.meta.url));
const CONFIG = fromFileUrl(new URL("../../deno.json", import.meta.url));

needs("mounts", "root")(
  "containers start with their filter, whatever goes wrong around them",
  async () => {
    const folder = await Deno.makeTempDir({
      prefix: "seccomp-tree-disturbed-",
    });
    const { stdout, stderr } = await new Deno.Command("unshare", {
      args: [
        ...["--mount", "--propagation", "private", "sh", "-c"],
        'mount -t tmpfs -o size=4m,mode=700 tmpfs "$0" && exec "$@"',
        ...[folder, Deno.execPath(), "run", "-A", "--config", CONFIG],
        ...["--no-lock", PROGRAM, folder, STARTS, SEED],
      ],
    }).output();
    await Deno.remove(folder);
    const text = new TextDecoder();
    assertEquals(text.decode(stderr), "");
    const report: Report = JSON.parse(text.decode(stdout));
    assertEquals(report.wrong, [], `seed ${SEED}`);
    assert(report.added > 0 && report.plain > 0, JSON.stringify(report));
  },
);
