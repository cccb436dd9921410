/**
 * `licenses`: lists the parts of the program and the license of each.
 *
 * @module
 */

import { moduleUrl } from "../../host/packed.ts";
import { type CommandDefinition, defineCommand } from "../command.ts";
import { OUTPUT_FLAG, type OutputFlags } from "../input/flags.ts";
import type { Io } from "../io.ts";
import type { LicenseText } from "../licenses/texts.ts";

/** Part that is licensed like this program itself. */
const OWN: readonly string[] = [
  "seccomp-tree Apache-2.0",
  "Docker's default seccomp profile Apache-2.0",
];

/** The command. */
export const command: CommandDefinition = defineCommand<OutputFlags>({
  usage: "[OPTION...]",
  examples: ["licenses", "licenses -o json"],
  parameters: { flags: OUTPUT_FLAG, aliases: { o: "output" } },
  run: runLicenses,
});

/**
 * Prints the parts of the program with their licenses and license texts.
 *
 * @param io Streams.
 * @param flags Options.
 */
export async function runLicenses(
  io: Io,
  { output }: OutputFlags,
): Promise<void> {
  const texts = await loadTexts();
  if (output === "json") {
    const packages = texts.flatMap(({ packages }) => packages).map((line) => {
      const [name, version, license] = line.split(" ");
      return { name, version, license };
    });
    io.out(`${JSON.stringify({ schemaVersion: 1, packages }, null, 2)}\n`);
    return;
  }
  const rule = "-".repeat(78);
  const parts = [
    `${
      OWN.join("\n")
    }\n\nThe Apache License 2.0 is at the end, and at https://www.apache.org/licenses/LICENSE-2.0.\nOther packages in the single file:\n`,
    ...texts.map(({ packages, text }) => `${packages.join("\n")}\n\n${text}`),
  ];
  io.out(parts.join(`\n${rule}\n`));
}

async function loadTexts(): Promise<readonly LicenseText[]> {
  const module: { readonly LICENSE_TEXTS: readonly LicenseText[] } =
    await import(await moduleUrl("cli/licenses/texts.ts"));
  // The longest text, the Apache License, comes last.
  return module.LICENSE_TEXTS.toSorted((a, b) =>
    Math.sign(a.text.length - b.text.length) *
    Number(Math.max(a.text.length, b.text.length) > 5000)
  );
}
