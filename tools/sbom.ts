/**
 * Makes the bill of materials of the single file, from the lock file: CycloneDX
 * 1.5, as JSON.
 *
 * ```sh
 * deno task sbom FILE
 * ```
 *
 * @module
 */

import { dirname } from "@std/path";
import { LICENSE_TEXTS } from "../cli/licenses/texts.ts";
import { type Given, type Manual, start } from "./arguments.ts";
import { readRelease, type Release } from "./release.ts";
import { type ShippedPackage, shippedPackages } from "./shipped.ts";

/**
 * Makes the document; the same packages give the same bytes.
 *
 * @param release The release.
 * @param packages The packages.
 */
export function makeSbom(
  { version, date }: Release,
  packages: readonly ShippedPackage[],
): string {
  const licenses = new Map(
    LICENSE_TEXTS.flatMap(({ packages }) => packages).map((line) => {
      const [name, number, license] = line.split(" ");
      return [`${name}@${number}`, license];
    }),
  );
  const self = `pkg:generic/seccomp-tree@${version}`;
  const apache = [{ license: { id: "Apache-2.0" } }];
  const profile = `${self}#profile/default_profile.ts`;
  const own = {
    type: "application",
    "bom-ref": self,
    name: "seccomp-tree",
    version,
    licenses: apache,
    purl: self,
  };
  const components = packages.map((each) => {
    const { name, version, integrity } = each;
    const [group, short] = name.startsWith("@") ? name.split("/") : [];
    const license = licenses.get(`${name}@${version}`);
    return {
      type: "library",
      "bom-ref": purlOf(name, version),
      ...(group === undefined ? {} : { group }),
      name: short ?? name,
      version,
      hashes: [{ alg: "SHA-512", content: hexOf(integrity) }],
      ...(license === undefined
        ? {}
        : { licenses: [{ license: { id: license } }] }),
      purl: purlOf(name, version),
    };
  });
  const needed = new Set(packages.flatMap(({ needs }) => needs));
  const direct = packages.filter(({ name, version }) =>
    !needed.has(`${name}@${version}`)
  );
  const document = {
    bomFormat: "CycloneDX",
    specVersion: "1.5",
    version: 1,
    metadata: { timestamp: `${date}T00:00:00Z`, component: own },
    components: [
      ...components,
      {
        type: "data",
        "bom-ref": profile,
        name: "Docker's default seccomp profile",
        licenses: apache,
      },
    ],
    dependencies: [
      {
        ref: self,
        dependsOn: [
          ...direct.map(({ name, version }) => purlOf(name, version)),
          profile,
        ],
      },
      ...packages.map(({ name, version, needs }) => ({
        ref: purlOf(name, version),
        dependsOn: needs.map((need) => {
          const at = need.indexOf("@", 1);
          return purlOf(need.slice(0, at), need.slice(at + 1));
        }),
      })),
    ],
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** Names a package: https://github.com/package-url/purl-spec. */
function purlOf(name: string, version: string): string {
  return `pkg:npm/${name.replace("@", "%40")}@${version}`;
}

function hexOf(integrity: string): string {
  const [, base64] = /^sha512-(.+)$/.exec(integrity) ?? [];
  if (base64 === undefined) {
    throw new Error(`Cannot read the checksum "${integrity}": not sha512`);
  }
  return Uint8Array.fromBase64(base64).toHex();
}

const MANUAL: Manual = {
  usage: "deno task sbom [FILE]",
  brief:
    "Writes the bill of materials of the single file, in CycloneDX's JSON\n(default: dist/seccomp-tree.cdx.json).",
  words: 1,
};

async function main({ words: [path] }: Given): Promise<void> {
  const file = path ?? "dist/seccomp-tree.cdx.json";
  await Deno.mkdir(dirname(file), { recursive: true });
  await Deno.writeTextFile(
    file,
    makeSbom(await readRelease(), await shippedPackages()),
  );
}

if (import.meta.main) start(MANUAL, main);
