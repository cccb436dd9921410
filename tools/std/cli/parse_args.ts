/**
 * Stand-in for `jsr:@std/cli/parse-args` if JSR cannot be reached: the few
 * options that this project uses, with the signatures of the real module. A
 * package installed from JSR gets the real one.
 *
 * It lacks features that no program here uses: digits, signs and values within
 * bundled short options, names with dots, and `--no-x=value`.
 *
 * @module
 */

/** Options of {@linkcode parseArgs}. */
export interface ParseOptions {
  /** Names of options without a value. */
  readonly boolean?: readonly string[];
  /** Names of options with a value; `_` keeps the other words as text. */
  readonly string?: readonly string[];
  /** Other names of options. */
  readonly alias?: Readonly<Record<string, string>>;
  /**
   * Called for each word that is not a known option; if it returns `false`, the
   * word is omitted.
   */
  readonly unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

/** Values of options by name, and the remaining words. */
export interface Args {
  readonly [name: string]: unknown;
  readonly _: (string | number)[];
}

const LONG = /^--(.+?)(?:=(.*))?$/s;
const SHORT = /^-(?!-)(.+?)(?:=(.*))?$/s;

/**
 * Reads a command line.
 *
 * @param args The words without the program's name.
 * @param options Known options.
 */
export function parseArgs(
  args: readonly string[],
  options: ParseOptions = {},
): Args {
  const { boolean = [], string = [], alias = {}, unknown } = options;
  const found: Record<string, unknown> = {};
  const words: (string | number)[] = [];
  const namesOf = (key: string): readonly string[] => [
    key,
    ...Object.entries(alias).flatMap(([a, b]) =>
      a === key ? [b] : b === key ? [a] : []
    ),
  ];
  const takes = (kind: readonly string[], key: string): boolean =>
    namesOf(key).some((name) => kind.includes(name));
  const isKnown = (key: string): boolean =>
    takes([...boolean, ...string, ...Object.keys(alias)], key);
  const set = (arg: string, key: string, value: string | boolean): void => {
    if (!isKnown(key) && unknown?.(arg, key, value) === false) return;
    const typed = takes(string, key) ? value : toNumber(value);
    for (const name of namesOf(key)) found[name] = typed;
  };
  const end = args.includes("--") ? args.indexOf("--") : args.length;
  for (let i = 0; i < end; i++) {
    const arg = args[i] ?? "";
    const long = LONG.exec(arg);
    const short = long === null ? SHORT.exec(arg) : null;
    const [, name, attached] = long ?? short ?? [];
    if (name === undefined) {
      if (unknown?.(arg) === false) continue;
      words.push(string.includes("_") ? arg : toNumber(arg));
      continue;
    }
    for (const letter of short === null ? "" : name.slice(0, -1)) {
      set(arg, letter, takes(string, letter) ? "" : true);
    }
    const key = short === null ? name : name.at(-1) ?? "";
    const isFlag = takes(boolean, key);
    if (attached !== undefined) {
      set(arg, key, isFlag && long !== null ? attached !== "false" : attached);
      continue;
    }
    const next = i + 1 < end ? args[i + 1] ?? "" : "";
    const isOption = long === null
      ? /^-{1,2}[^-]/.test(next)
      : next.startsWith("-");
    if (next !== "" && !isFlag && !isOption) {
      set(arg, key, next);
      i++;
    } else if (next === "true" || next === "false") {
      set(arg, key, next === "true");
      i++;
    } else set(arg, key, takes(string, key) ? "" : true);
  }
  for (const key of boolean) {
    for (const name of namesOf(key)) found[name] ??= false;
  }
  for (const word of args.slice(end + 1)) words.push(word);
  return { ...found, _: words };
}

function toNumber<T>(value: T): T | number {
  return typeof value === "string" && /\S/.test(value) &&
      Number.isFinite(Number(value))
    ? Number(value)
    : value;
}
