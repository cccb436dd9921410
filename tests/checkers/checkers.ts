/**
 * The three checkers of certificates, with one interface.
 *
 * @module
 */

import { dirname, fromFileUrl, join } from "@std/path";
import {
  CertificateError,
  checkCertificate,
} from "../../verify/certificate/check.ts";
import { absence } from "../machine.ts";
import { type CertificateCase, isLittleEndian, readSides } from "./sides.ts";

/** A checker: reports for each case whether it is accepted. */
export type RunChecker = (
  cases: readonly CertificateCase[],
) => Promise<readonly boolean[]>;

const CHECKERS = join(
  dirname(fromFileUrl(import.meta.url)),
  "../../checkers",
);

/**
 * Runs the checker of the program itself, on the sides that the text names; it
 * gets policies as `check` does, not from the text.
 */
export async function inTypeScript(
  cases: readonly CertificateCase[],
): Promise<readonly boolean[]> {
  const accepted: boolean[] = [];
  for (const one of cases) {
    const sides = readSides(one);
    if (sides === undefined) accepted.push(false);
    else {
      const littleEndian = isLittleEndian(one);
      try {
        await checkCertificate(one.text, sides, { littleEndian });
        accepted.push(true);
      } catch (error) {
        if (!(error instanceof CertificateError)) throw error;
        accepted.push(false);
      }
    }
  }
  return accepted;
}

/** Runs checkers/certificate.py. */
export function inPython(
  cases: readonly CertificateCase[],
): Promise<readonly boolean[]> {
  return runBatch(["python3", join(CHECKERS, "certificate.py")], cases);
}

/** The checker that is proved in Coq, and what Coq printed about the proof. */
export interface CoqChecker {
  readonly run: RunChecker;
  readonly printed: string;
}

let built: Promise<CoqChecker> | undefined;

/** Builds the checker that is proved in Coq, which also checks the proof, once. */
export function coqChecker(): Promise<CoqChecker> {
  return built ??= buildCoqChecker();
}

async function buildCoqChecker(): Promise<CoqChecker> {
  const folder = await Deno.makeTempDir();
  addEventListener(
    "unload",
    () => Deno.removeSync(folder, { recursive: true }),
  );
  for await (const { name } of Deno.readDir(join(CHECKERS, "coq"))) {
    if (!/\.(?:v|ml)$/.test(name)) continue;
    await Deno.copyFile(join(CHECKERS, "coq", name), join(folder, name));
  }
  let printed = "";
  for (const name of ["Bpf", "Checker", "Sound", "Extract"]) {
    const file = `${name}.v`;
    printed += await runIn(folder, "coqc", "-Q", ".", "Certificate", file);
  }
  const args = ["-package", "unix", "-linkpkg", "-o", "certificate"];
  const sources = ["checker.mli", "checker.ml", "main.ml"];
  await runIn(folder, "ocamlfind", "ocamlopt", ...args, ...sources);
  const program = join(folder, "certificate");
  return { run: (cases) => runBatch([program], cases), printed };
}

/** Lists the checkers that this machine can run, by name. */
export async function availableCheckers(): Promise<
  ReadonlyMap<string, RunChecker>
> {
  const checkers = new Map<string, RunChecker>([["TypeScript", inTypeScript]]);
  if (absence("python3") === undefined) checkers.set("Python", inPython);
  if (absence("coq") === undefined) {
    checkers.set("Coq", (await coqChecker()).run);
  }
  return checkers;
}

async function runIn(
  cwd: string,
  program: string,
  ...args: readonly string[]
): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    cwd,
  }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`${program}: ${decoder.decode(stderr)}`);
  return decoder.decode(stdout);
}

/** Writes the cases to files and lets a program read all of them at once. */
async function runBatch(
  [program = "", ...args]: readonly string[],
  cases: readonly CertificateCase[],
): Promise<readonly boolean[]> {
  const folder = await Deno.makeTempDir();
  try {
    const lines: string[] = [];
    const files = new Map<string, string>();
    for (const [i, { text, programs }] of cases.entries()) {
      const paths = [join(folder, `${i}.cert`)];
      await Deno.writeTextFile(paths[0] as string, text);
      for (const bytes of programs) {
        // A program of many cases is one file, which is hashed once.
        const path = files.get(bytes.toHex()) ??
          join(folder, `${files.size}.bpf`);
        paths.push(path);
        if (files.size === files.set(bytes.toHex(), path).size) continue;
        await Deno.writeFile(path, bytes);
      }
      lines.push(`${paths.join(" ")}\n`);
    }
    const child = new Deno.Command(program, {
      args: [...args, "-"],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const writer = child.stdin.getWriter();
    const written = writer.write(new TextEncoder().encode(lines.join("")))
      .then(() => writer.close());
    const [{ stdout, stderr }] = await Promise.all([child.output(), written]);
    const answers = new TextDecoder().decode(stdout).split("\n").slice(0, -1);
    if (answers.length !== cases.length) {
      const said = new TextDecoder().decode(stderr).slice(-500);
      throw new Error(
        `${program} answered ${answers.length} of ${cases.length}: ${said}`,
      );
    }
    return answers.map((answer) => answer === "accepted");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
