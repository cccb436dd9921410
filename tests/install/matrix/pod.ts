/**
 * A kubelet's part for one pod, run inside a root of another release by
 * `deno task matrix`:
 *
 * ```sh
 * pod.ts run NAME HANDLER      # prints the identifiers of sandbox and container
 * pod.ts exec CONTAINER WORD…  # prints the command's output
 * pod.ts remove SANDBOX
 * ```
 *
 * @module
 */

import { openCri } from "./cri.ts";

const SOCKET = "/run/containerd/containerd.sock";
/** The image that `IMAGES` of script.ts makes. */
const IMAGE = "localhost/matrix:1";

async function main([action, ...words]: readonly string[]): Promise<string> {
  const [first = "", ...rest] = words;
  using cri = openCri(SOCKET);
  if (action === "run") {
    const command = ["/bin/busybox", "sleep", "100000"];
    const [handler = ""] = rest;
    const pod = await cri.run({ name: first, handler, image: IMAGE, command });
    return `${pod.sandbox} ${pod.container}`;
  }
  if (action === "exec") {
    return await cri.exec({ sandbox: "", container: first }, rest);
  }
  if (action === "remove") {
    await cri.remove({ sandbox: first, container: "" });
    return "removed";
  }
  return await cri.version();
}

main(Deno.args).then((text) => {
  // deno-lint-ignore no-console -- a program for scripts
  console.log(text.trimEnd());
}, (error) => {
  // deno-lint-ignore no-console -- a program for scripts
  console.error(error instanceof Error ? error.message : error);
  Deno.exitCode = 1;
});
