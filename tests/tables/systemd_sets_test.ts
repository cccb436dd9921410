import { assertEquals } from "@std/assert";
import {
  SYSTEMD_SETS_VERSION,
  systemdSet,
  systemdSetNames,
} from "../../tables/systemd_sets.ts";
import { needs } from "../machine.ts";

needs("systemd", "x86_64")(
  "systemdSet() has the sets of this machine's systemd",
  async () => {
    const { stdout } = await new Deno.Command("systemd-analyze", {
      args: ["syscall-filter"],
      env: { SYSTEMD_COLORS: "0", SYSTEMD_PAGER: "cat" },
    }).output();
    const found = new Map<string, string[]>();
    let own: string[] = [];
    for (const line of new TextDecoder().decode(stdout).split("\n")) {
      if (line.startsWith("# ")) break;
      if (line.startsWith("@")) found.set(line.trim(), own = []);
      const word = line.trim();
      if (/^ /.test(line) && !word.startsWith("#")) own.push(word);
    }
    const version = await new Deno.Command("systemd-analyze", {
      args: ["--version"],
    }).output();
    const [, number] = /^systemd (\d+)/.exec(
      new TextDecoder().decode(version.stdout),
    ) ?? [];
    // Other versions have other sets.
    if (Number(number) !== SYSTEMD_SETS_VERSION) {
      assertEquals(found.has("@system-service"), true);
      return;
    }
    const members = (name: string): readonly string[] =>
      (found.get(name) ?? []).flatMap((word) =>
        word.startsWith("@") ? members(word) : [word]
      );
    assertEquals([...found.keys()], systemdSetNames());
    for (const name of systemdSetNames()) {
      assertEquals(
        [...systemdSet(name) ?? []].sort(),
        [...new Set(members(name))].sort(),
        `${name} of systemd ${SYSTEMD_SETS_VERSION}`,
      );
    }
  },
);
