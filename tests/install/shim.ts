/**
 * A program between all callers and crun, for machines without
 * CAP_SYS_RESOURCE, where raising limits and the device controller fail.
 *
 * @module
 */

/** The part of a sandbox that is needed to change it. */
export interface Box {
  /** Runs a command in there that has to succeed. */
  ok(...words: readonly string[]): Promise<string>;
  /** Writes a file in there, its folders too. */
  write(path: string, text: string, mode?: number): Promise<void>;
}

/** Folder of crun itself and of the last configuration that it was given. */
export const SHIM = "/var/lib/shim";

/** CAP_SYS_RESOURCE, linux/capability.h. */
const CAP_SYS_RESOURCE = 24n;

/** Reports whether this process has CAP_SYS_RESOURCE. */
export async function mayRaiseLimits(): Promise<boolean> {
  const status = await Deno.readTextFile("/proc/self/status");
  const effective = BigInt(`0x${/^CapEff:\s+(\w+)$/m.exec(status)?.[1] ?? 0}`);
  return (effective >> CAP_SYS_RESOURCE & 1n) === 1n;
}

/** Files of the shim: what it is called with is removed from bundles. */
export interface ShimFiles {
  /** The program in place of crun. */
  readonly shim: string;
  /** The program that it runs by Deno. */
  readonly strip: string;
}

/**
 * Writes a program that removes the parts of configurations that need
 * CAP_SYS_RESOURCE or controllers of cgroup 2, keeps a copy of the original, and
 * becomes crun.
 *
 * @param folder Folder of crun itself and of both files.
 * @param deno Path of Deno.
 */
export function formatShim(folder: string, deno: string): ShimFiles {
  return {
    strip: `const path = Deno.args[0] + "/config.json";
const text = Deno.readTextFileSync(path);
try {
  Deno.writeTextFileSync("${folder}/last.json", text);
} catch {
  // Somebody else's.
}
const exact = (_, v, c) => typeof v === "number" ? JSON.rawJSON(c.source) : v;
const config = JSON.parse(text, exact);
delete config.linux?.resources;
delete config.process?.rlimits;
delete config.process?.oomScoreAdj;
const sets = config.process?.capabilities ?? {};
for (const [name, set] of Object.entries(sets)) {
  sets[name] = set.filter((cap) => cap !== "CAP_SYS_RESOURCE");
}
Deno.writeTextFileSync(path, JSON.stringify(config));
`,
    shim: `#!/bin/sh
make= bundle=. next=
for word do
  if [ -n "$next" ]; then bundle=$word next=; continue; fi
  case $word in
  create|run) make=1 ;;
  --bundle|-b) next=1 ;;
  --bundle=*) bundle=\${word#*=} ;;
  esac
done
if [ -n "$make" ]; then
  ${deno} run -A --no-config --no-lock ${folder}/strip.js "$bundle" </dev/null || exit 1
fi
exec ${folder}/crun "$@"
`,
  };
}

/** Puts the shim between all callers and crun. */
export async function shimCrun(box: Box): Promise<void> {
  const { shim, strip } = formatShim(SHIM, Deno.execPath());
  // Users' containers come by here as well.
  await box.ok("mkdir", "-m", "777", SHIM);
  await box.ok("cp", "/usr/bin/crun", `${SHIM}/crun`);
  await box.write(`${SHIM}/strip.js`, strip);
  await box.write(`${SHIM}/shim`, shim, 0o755);
  await box.ok("mount", "--bind", `${SHIM}/shim`, "/usr/bin/crun");
}
