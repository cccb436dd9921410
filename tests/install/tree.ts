/**
 * Trees of files to install below.
 *
 * @module
 */

import { sha256 } from "../../hook/store/digest.ts";
import type { InstallRoot } from "../../install/changes/apply.ts";
import type { InstallRequest } from "../../install/install.ts";
import { systemLayout } from "../../install/changes/layout.ts";
import type { ManagerName } from "../../install/changes/manifest.ts";

/** Contents of the folder of an image before an installation. */
export interface Tree extends AsyncDisposable {
  readonly place: InstallRoot;
  write(path: string, text: string): Promise<void>;
  read(path: string): Promise<string>;
  /** Every path with its type, mode, owner and content. */
  digest(): Promise<readonly string[]>;
}

/** A daemon.json with an unusual layout. */
export const DAEMON_JSON: string = [
  '{ "debug": true,\n\t"runtimes": {"x": {"path": "/x"}},',
  ' "big": 18446744073709551615 }',
].join("");
/** A config.toml as Debian 12 has it. */
export const CONFIG_TOML: string = [
  'version = 2\n[plugins."io.containerd.grpc.v1.cri".cni]\n',
  '  bin_dir = "/usr/lib/cni" # no line break at the end',
].join("");

/** A small one in place of the hook's many modules. */
const PROGRAM = {
  main: "hook/main.ts",
  files: new Map([["hook/main.ts", "1;\n"], ["bpf/a.ts", "2;\n"]]),
};

/** Programs that a dispatcher calls. */
const TOOLS: readonly string[] = [
  ...["awk", "date", "env", "mkdir", "mv", "rm", "sh", "stat", "tr"],
];

/** Makes a tree with crun and a dispatcher's programs. */
export async function makeTree(): Promise<Tree> {
  const root = await Deno.makeTempDir({ prefix: "seccomp-tree-root-" });
  const write: Tree["write"] = async (path, text) => {
    const real = `${root}${path}`;
    await Deno.mkdir(real.slice(0, real.lastIndexOf("/")), { recursive: true });
    await Deno.writeTextFile(real, text);
  };
  for (const name of ["crun", ...TOOLS]) {
    await write(`/usr/bin/${name}`, "");
    await Deno.chmod(`${root}/usr/bin/${name}`, 0o755);
  }
  await Deno.symlink("usr/bin", `${root}/bin`);
  return {
    place: { root, layout: systemLayout() },
    write,
    read: (path) => Deno.readTextFile(`${root}${path}`),
    digest: async () => {
      const lines: string[] = [];
      const visit = async (folder: string): Promise<void> => {
        for await (const { name } of Deno.readDir(folder)) {
          const path = `${folder}/${name}`;
          const info = await Deno.lstat(path);
          const content = info.isFile
            ? await sha256(await Deno.readFile(path))
            : info.isSymlink
            ? await Deno.readLink(path)
            : "folder";
          const mode = ((info.mode ?? 0) & 0o7777).toString(8);
          const rights = `${mode} ${info.uid}:${info.gid}`;
          lines.push(`${path.slice(root.length)} ${rights} ${content}`);
          if (info.isDirectory) await visit(path);
        }
      };
      await visit(root);
      return lines.sort();
    },
    [Symbol.asyncDispose]: () => Deno.remove(root, { recursive: true }),
  };
}

/** Default request of the tests. */
export function request(
  place: InstallRoot,
  target: ManagerName,
  more: Partial<InstallRequest> = {},
): InstallRequest {
  return {
    target,
    place,
    dryRun: false,
    mode: target === "podman" ? "hook" : "wrapper",
    asDefault: true,
    strict: false,
    semantics: "crun",
    names: "host",
    reference: "host",
    log: "syslog",
    append: true,
    form: "modules",
    program: PROGRAM,
    ...more,
  };
}
