/**
 * `--require-certificate`: a foreign annotation needs a certificate.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { decodeBase64, encodeBase64 } from "../../bpf/base64.ts";
import { decode, encode } from "../../bpf/encode.ts";
import { CERTIFICATE_ANNOTATION } from "../../hook/certificate.ts";
import { gatherContext } from "../../hook/context.ts";
import { startDeadline } from "../../hook/deadline.ts";
import { RefusedError } from "../../hook/error.ts";
import { openLog } from "../../hook/log.ts";
import { rewriteConfig, type RewriteContext } from "../../hook/precreate.ts";
import { parseHookArgs } from "../../hook/main.ts";
import { DEFAULTS } from "../../hook/settings.ts";
import { readSection } from "../../hook/section.ts";
import { ANNOTATION } from "../../tables/annotation.ts";
import { makeCertificate } from "../../verify/certificate/make.ts";
import { call, createFolder } from "../cli/harness.ts";
import { needs, PATIENCE_S } from "../machine.ts";
import { createSetup, smallConfig } from "./shared.ts";

/** A configuration with annotations. */
function annotated(annotations: Readonly<Record<string, string>>): string {
  return smallConfig({ head: `"annotations":${JSON.stringify(annotations)},` });
}

Deno.test("rewriteConfig() requires a certificate of foreign annotations, if it is to", async () => {
  await using setup = await createSetup();
  const contextWith = (
    requireCertificate: boolean,
  ): Promise<RewriteContext> =>
    gatherContext(
      { ...DEFAULTS, store: setup.store, names: "builtin", requireCertificate },
      startDeadline(1000 * PATIENCE_S),
      openLog({ file: setup.logPath }),
    );
  const strict = await contextWith(true);
  const { native } = strict.environment;
  const { littleEndian } = native;
  const added = await rewriteConfig(smallConfig(), strict);
  assert(added.kind === "added");
  // The same meaning in one more instruction.
  const own = decode(added.entry.bytes, { littleEndian });
  const foreign = [{ op: "ld.abs", jt: 0, jf: 0, k: 0 } as const, ...own];
  const value = encodeBase64(encode(foreign, { littleEndian }));
  const reading = readSection(added.entry.section, strict.environment);
  assert(reading.kind === "section");
  const { policy } = reading.section;
  const text = await makeCertificate(foreign, policy, { littleEndian });
  const other = await makeCertificate(own, policy, { littleEndian });

  const config = (certificate?: string): string =>
    annotated({
      [ANNOTATION]: value,
      ...(certificate === undefined
        ? {}
        : { [CERTIFICATE_ANNOTATION]: certificate }),
    });
  const accepted = await rewriteConfig(config(text), strict);
  assertEquals([accepted.kind, accepted.text], ["unchanged", config(text)]);
  const rows: readonly (readonly [string | undefined, RegExp])[] = [
    [undefined, /has no certificate/],
    [other, /is about something else/],
    ["", /is about something else/],
    [text.replace(/\nend\n$/, "\n"), /rejected: line \d+: All parts are shown/],
    [text.replace(/, rule \w+/, ", other"), /rejected: line \d+/],
  ];
  for (const [certificate, reason] of rows) {
    const error = await assertRejects(
      () => rewriteConfig(config(certificate), strict),
      RefusedError,
    );
    assertEquals(error.code, "foreign-annotation");
    assertMatch(error.message, reason);
  }
  // Without the option, a proof is enough; our own filter needs neither.
  const plain = await contextWith(false);
  assertEquals((await rewriteConfig(config(), plain)).kind, "unchanged");
  const ours = annotated({ [ANNOTATION]: encodeBase64(added.entry.bytes) });
  assertEquals((await rewriteConfig(ours, strict)).kind, "unchanged");
  assertEquals(decodeBase64(value).length, 8 * foreign.length);
});

needs("libseccomp")(
  "the hook accepts the certificate that docs/certificate.md describes",
  async () => {
    await using setup = await createSetup();
    await using folder = await createFolder();
    const filter = join(folder.path, "filter.b64");
    const certificate = join(folder.path, "filter.cert");
    await folder.write("config.json", smallConfig());
    const { code, err } = await call([
      ...[
        "compile",
        `bundle:${folder.path}`,
        "--names",
        "host",
        "-f",
        "base64",
      ],
      ...["--objective", "size", "-O", filter, "--certificate", certificate],
    ]);
    assertEquals(code, 0, err);
    const context = await gatherContext(
      {
        ...DEFAULTS,
        store: setup.store,
        names: "host",
        requireCertificate: true,
      },
      startDeadline(1000 * PATIENCE_S),
      openLog({ file: setup.logPath }),
    );
    const config = annotated({
      [ANNOTATION]: (await Deno.readTextFile(filter)).trimEnd(),
      [CERTIFICATE_ANNOTATION]: await Deno.readTextFile(certificate),
    });
    const { kind } = await rewriteConfig(config, context);
    assertEquals(kind, "unchanged");
  },
);

Deno.test("--require-certificate is an option of the hook", () => {
  const { settings } = parseHookArgs(["hook", "--require-certificate"]);
  assertEquals(settings, [["requireCertificate", "true"]]);
});
