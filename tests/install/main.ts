/**
 * The commands of `install/` as a program of their own, for tests that run
 * them in another mount namespace.
 *
 * @module
 */

import { buildApplication, buildRouteMap, run } from "@stricli/core";
import { report } from "../../cli/exit.ts";
import { processIo } from "../../cli/io.ts";
import type { AppContext } from "../../cli/lazy.ts";
import {
  doctor,
  install,
  status,
  uninstall,
} from "../../cli/routes_install.ts";

const io = processIo();
const app = buildApplication<AppContext>(
  buildRouteMap({
    routes: { install, uninstall, status, doctor },
    docs: { brief: "seccomp-tree" },
  }),
  {
    name: "seccomp-tree",
    scanner: { caseStyle: "allow-kebab-for-camel" },
  },
);

if (import.meta.main) {
  const settle: AppContext["settle"] = async (work) => {
    try {
      Deno.exitCode = await work() ?? 0;
    } catch (error) {
      Deno.exitCode = report(io, error);
    }
  };
  const process = {
    stdout: { write: (text: string) => io.out(text) },
    stderr: { write: (text: string) => io.err(text) },
  };
  run(app, Deno.args, {
    ...{ process, io, settle },
    app: () => Promise.resolve(app),
  });
}
