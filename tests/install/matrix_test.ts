/**
 * One row of `deno task matrix`: pods of a newer containerd, by the Container
 * Runtime Interface.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { needs } from "../machine.ts";
import { tryMatrix } from "./matrix/main.ts";

needs("x86_64", "dump", "busybox", "debian-mirror")(
  "install containerd: pods of containerd 1.7 run the stored filter",
  async () => {
    const words = ["trixie", "containerd", "wrapper", "pod"];
    const results = await tryMatrix(words);
    const [row] = results;
    assertEquals([results.length, row?.outcome, row?.crun], [
      ...[1, "verified", "1.21"],
    ]);
  },
);
