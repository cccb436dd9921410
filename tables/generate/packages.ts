/**
 * Downloads and unpacks the packages from which the tables are made, with the
 * machine's own apt and the Debian mirror that it is configured with. Nothing
 * is installed, and the machine's own package lists are left unchanged.
 *
 * @module
 */

/** Suites and the packages to take from them. */
const WANTED = {
  sid: ["linux-libc-dev", "libseccomp2", "libseccomp-dev"],
  trixie: ["linux-libc-dev"],
} as const;

/** A suite of Debian that the tables draw on. */
export type Suite = keyof typeof WANTED;

/** An unpacked package. */
export interface Package {
  /** Folder with its files. */
  readonly root: string;
  /** Version of the package. */
  readonly version: string;
}

/** Unpacked packages by suite and name, as `sid/linux-libc-dev`. */
export type Packages = ReadonlyMap<string, Package>;

/**
 * Downloads and unpacks everything.
 *
 * @param folder Folder for package files, with one subfolder per suite;
 * existing files are used as they are.
 * @param scratch Folder in which to unpack; the caller removes it.
 */
export async function fetchPackages(
  folder: string,
  scratch: string,
): Promise<Packages> {
  const packages = new Map<string, Package>();
  for (const [suite, names] of Object.entries(WANTED)) {
    const place = `${folder}/${suite}`;
    await Deno.mkdir(place, { recursive: true });
    const missing: string[] = [];
    for (const name of names) {
      if (await packageFile(place, name) === undefined) missing.push(name);
    }
    if (missing.length > 0) {
      await download(suite, missing, place, `${scratch}/apt-${suite}`);
    }
    for (const name of names) {
      const file = await packageFile(place, name);
      if (file === undefined) {
        throw new Error(`Cannot fetch ${name} of ${suite}: apt left no file`);
      }
      const root = `${scratch}/${suite}/${name}`;
      await Deno.mkdir(root, { recursive: true });
      await command("dpkg-deb", ["-x", file, root]);
      const version = await command("dpkg-deb", ["-f", file, "Version"]);
      packages.set(`${suite}/${name}`, { root, version: version.trim() });
    }
  }
  return packages;
}

/** The version of an installed package, or `undefined` without dpkg. */
export async function installedVersion(
  name: string,
): Promise<string | undefined> {
  try {
    const form = "-f=${Version}\n";
    const versions = await command("dpkg-query", ["-W", form, name]);
    return versions.split("\n")[0];
  } catch {
    return undefined;
  }
}

/** The file of a package in a folder. */
async function packageFile(
  folder: string,
  name: string,
): Promise<string | undefined> {
  for await (const entry of Deno.readDir(folder)) {
    if (entry.name.startsWith(`${name}_`) && entry.name.endsWith(".deb")) {
      return `${folder}/${entry.name}`;
    }
  }
  return undefined;
}

/** Downloads packages of a suite with separate package lists. */
async function download(
  suite: string,
  names: readonly string[],
  folder: string,
  state: string,
): Promise<void> {
  const mirror = await debianMirror();
  await Deno.mkdir(`${state}/lists/partial`, { recursive: true });
  await Deno.mkdir(`${state}/cache/archives/partial`, { recursive: true });
  await Deno.writeTextFile(`${state}/status`, "");
  await Deno.writeTextFile(
    `${state}/one.sources`,
    `Types: deb\nURIs: ${mirror.uri}\nSuites: ${suite}\nComponents: main\n` +
      `Signed-By: ${mirror.signedBy}\n`,
  );
  const options = [
    `Dir::State=${state}`,
    `Dir::State::status=${state}/status`,
    `Dir::Cache=${state}/cache`,
    `Dir::Etc::sourcelist=${state}/one.sources`,
    "Dir::Etc::sourceparts=/dev/null",
    // The sandbox user could not write to the folder.
    "APT::Sandbox::User=root",
  ].flatMap((option) => ["-o", option]);
  await command("apt-get", [...options, "-q", "update"]);
  await command("apt-get", [...options, "-q", "download", ...names], folder);
}

/** The mirror and keyring that the machine's own apt uses for Debian. */
async function debianMirror(): Promise<{ uri: string; signedBy: string }> {
  const folder = "/etc/apt/sources.list.d";
  for await (const entry of Deno.readDir(folder)) {
    if (!entry.name.endsWith(".sources")) continue;
    const text = await Deno.readTextFile(`${folder}/${entry.name}`);
    for (const stanza of text.split(/\n\s*\n/)) {
      const field = (name: string): string | undefined =>
        new RegExp(`^${name}:\\s*(\\S+)`, "m").exec(stanza)?.[1];
      const uri = field("URIs");
      const signedBy = field("Signed-By");
      if (uri === undefined || signedBy === undefined) continue;
      if (/\/debian\/?$/.test(uri)) return { uri, signedBy };
    }
  }
  throw new Error(
    `Cannot find a Debian mirror in ${folder}: pass --packages with a folder ` +
      "that holds the package files",
  );
}

/** Runs a program and returns its output. */
async function command(
  program: string,
  args: readonly string[],
  cwd?: string,
): Promise<string> {
  const output = await new Deno.Command(program, {
    args: [...args],
    stdin: "null",
    ...(cwd === undefined ? {} : { cwd }),
  }).output();
  const text = new TextDecoder();
  if (!output.success) {
    throw new Error(
      `Cannot run ${program}: exit ${output.code}: ${
        text.decode(output.stderr).trim()
      }`,
    );
  }
  return text.decode(output.stdout);
}
