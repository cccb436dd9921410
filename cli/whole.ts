/**
 * The program with all of its modules in one graph, for tools that fetch or
 * embed it before it runs: `deno cache`, `deno compile`, JSR.
 *
 * `main.ts` names the modules of commands so that Deno reads none of them
 * before the command is known: Deno reads all modules that an `import()` names
 * in plain text, called or not, and that takes longer than most commands.
 *
 * ```sh
 * deno compile -A -o seccomp-tree cli/whole.ts
 * ```
 *
 * @module
 */

import { start } from "./main.ts";

// Libraries from npm: `deno cache` keeps what is imported as a type, `deno run`
// does not fetch it before it is needed.
import type {} from "./draw/layout.ts";
import type {} from "./licenses/texts.ts";
import type {} from "./yaml/tree.ts";

/**
 * Names the modules that `main.ts` loads on use; nothing calls it.
 *
 * @category Program
 */
export function loadWhole(): readonly Promise<unknown>[] {
  return [
    import("./commands/asm.ts"),
    import("./commands/bench.ts"),
    import("./commands/cache.ts"),
    import("./commands/check.ts"),
    import("./commands/combine.ts"),
    import("./commands/convert.ts"),
    import("./commands/compile.ts"),
    import("./commands/completions.ts"),
    import("./commands/decode.ts"),
    import("./commands/demo.ts"),
    import("./commands/diff.ts"),
    import("./commands/digest.ts"),
    import("./commands/disasm.ts"),
    import("./commands/doctor.ts"),
    import("./commands/draw.ts"),
    import("./commands/dump.ts"),
    import("./commands/explain.ts"),
    import("./commands/hook.ts"),
    import("./commands/install.ts"),
    import("./commands/lint.ts"),
    import("./commands/minimize.ts"),
    import("./commands/licenses.ts"),
    import("./commands/nri.ts"),
    import("./commands/optimize.ts"),
    import("./commands/prove.ts"),
    import("./commands/rewrite.ts"),
    import("./commands/run.ts"),
    import("./commands/runtime.ts"),
    import("./commands/selftest.ts"),
    import("./commands/simulate.ts"),
    import("./commands/stats.ts"),
    import("./commands/status.ts"),
    import("./commands/store.ts"),
    import("./commands/syscalls.ts"),
    import("./commands/test.ts"),
    import("./commands/uninstall.ts"),
    import("./commands/verify.ts"),
    import("./commands/why.ts"),
    import("./children.ts"),
    import("./completions/complete.ts"),
    import("./input/forms/dump.ts"),
    import("./input/forms/escapes.ts"),
    import("./input/forms/json_filter.ts"),
    import("./input/forms/read_filters.ts"),
    import("./input/forms/source_code.ts"),
    import("./input/forms/strace.ts"),
    import("./input/forms/tcpdump.ts"),
    import("./input/sources/foreign_source.ts"),
    import("./input/sources/host_default.ts"),
    import("./input/sources/oci.ts"),
    import("./input/sources/process.ts"),
    import("./input/sources/read.ts"),
    import("./output/assembly.ts"),
    import("./output/certificate.ts"),
    import("./output/digest.ts"),
    import("./output/help.ts"),
    import("./output/json.ts"),
    import("./output/oci.ts"),
    import("../bpf/text.ts"),
    import("../ffi/host_names.ts"),
    import("../ffi/libseccomp.ts"),
    import("../hook/main.ts"),
    import("../hook/own_semantics.ts"),
    import("../install/containers.ts"),
    import("../profile/formats/weights.ts"),
  ];
}

if (import.meta.main) start();
