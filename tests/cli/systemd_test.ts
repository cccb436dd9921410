/**
 * Units as we read them, against the filters that systemd's own library loads;
 * and units that `convert` writes.
 */

import { assert, assertEquals } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { needs } from "../machine.ts";
import { call, createFolder } from "./harness.ts";

const LOADER = fromFileUrl(new URL("load_unit.py", import.meta.url));
const FOLDER = "/usr/lib/x86_64-linux-gnu/systemd";

/** Units that leave the loader what it needs: read, write and getpid. */
const UNITS: Readonly<Record<string, string>> = {
  "a list of permitted calls":
    "SystemCallFilter=@system-service\nSystemCallFilter=~brk kill:EPERM socket\n",
  "a list of denied calls":
    "SystemCallFilter=~@mount ptrace:ENOSYS socket:EACCES ipc\nSystemCallFilter=umount2\nSystemCallErrorNumber=EACCES\n",
  "calls that are logged":
    "SystemCallFilter=@known\nSystemCallFilter=~reboot\nSystemCallLog=~read write\nSystemCallLog=write\nSystemCallErrorNumber=5\n",
  "calls that are logged, by name": "SystemCallLog=read ptrace\n",
  "some architectures":
    "SystemCallFilter=~reboot\nSystemCallArchitectures=native x86\n",
  "all architectures":
    "SystemCallFilter=~reboot\nSystemCallArchitectures=x86-64 x86 x32\n",
};

/** Finds the library, whose name has its version. */
function libraryOf(): string {
  const names = [...Deno.readDirSync(FOLDER)].map(({ name }) => name);
  const found = names.find((name) => /^libsystemd-shared-.*\.so$/.test(name));
  assert(found !== undefined, `no library in ${FOLDER}`);
  return join(FOLDER, found);
}

/** Compares a unit with what the library loads. */
async function compare(unit: string, what: string): Promise<void> {
  const loader = new Deno.Command("python3", {
    args: [LOADER, libraryOf(), unit],
    ...{ stdin: "piped", stdout: "piped", stderr: "inherit" } as const,
  }).spawn();
  const reader = loader.stdout.getReader();
  try {
    const { value } = await reader.read();
    const pid = Number(new TextDecoder().decode(value).trim());
    assert(pid > 0, `${what}: the library did not load it`);
    const { code, out } = await call([
      ...["prove", "-q", "--names", "host", unit, `pid:${pid}`],
    ]);
    assertEquals(code, 0, `${what}: ${out}`);
  } finally {
    await loader.stdin.close();
    await reader.cancel();
    await loader.status;
  }
}

needs("systemd", "python3", "root", "x86_64", "dump", "libseccomp")(
  "systemd: units mean what systemd loads",
  async () => {
    await using folder = await createFolder();
    for (const [what, text] of Object.entries(UNITS)) {
      const unit = await folder.write("x.service", `[Service]\n${text}`);
      await compare(unit, what);
    }
  },
);

needs("systemd", "python3", "root", "x86_64", "dump", "libseccomp")(
  "systemd: what convert writes means what systemd loads",
  async () => {
    await using folder = await createFolder();
    const unit = join(folder.path, "docker.conf");
    const words = ["convert", "-q", "--to", "systemd", "--lossy"];
    const made = await call([...words, "default:docker", "-O", unit]);
    assertEquals(made.code, 0, made.err);
    await compare(unit, "Docker's default");
  },
);
