/**
 * Interactive shells on their own terminal: sends keys, and reads the commands
 * that the shell runs. The terminal is a pseudo terminal of script(1).
 *
 * @module
 */

/** A text that no shell prints by itself and no user types. */
const PROMPT = "<<PROMPT>>";
const READY = "<<READY>>";
/** Time in milliseconds after which a silent shell is given up. */
const PATIENCE_MS = 60_000;

/** A shell that waits at its prompt. */
export interface Terminal extends AsyncDisposable {
  /**
   * Types a line, waits until the program that it runs prints a mark and for
   * the prompt after it. Shells may redraw prompts at any time, so a prompt
   * alone proves nothing.
   *
   * @param keys Without the Enter key.
   * @param mark Last output of the program.
   * @returns The output before the mark.
   */
  type(keys: string, mark: string): Promise<string>;
}

/** Options for starting a shell. */
export interface TerminalOptions {
  /** The command of the shell. */
  readonly command: string;
  /** Lines that make it ready; the last one sets the prompt to `$PROMPT`. */
  readonly setup: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Starts a shell on a terminal.
 *
 * @param options The shell.
 */
export async function openTerminal(
  { command, setup, cwd, env }: TerminalOptions,
): Promise<Terminal> {
  const child = new Deno.Command("script", {
    args: ["-qfc", command, "/dev/null"],
    cwd,
    clearEnv: true,
    env: {
      ...{ HOME: cwd, LANG: "C.UTF-8", TERM: "xterm", PROMPT, READY },
      HISTFILE: "/dev/null",
      ...{ PATH: Deno.env.get("PATH") ?? "" },
      ...env,
    },
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const writer = child.stdin.getWriter();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let seen = "";
  /** Reads on; false at the end. */
  const readOn = async (): Promise<boolean> => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const patience = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new Error(`Nothing follows ${JSON.stringify(seen)}`)),
        PATIENCE_MS,
      );
    });
    try {
      const { done, value = "" } = await Promise.race([
        reader.read(),
        patience,
      ]);
      seen += value;
      return !done;
    } finally {
      clearTimeout(timer);
    }
  };
  const waitFor = async (mark: string): Promise<string> => {
    for (;;) {
      const at = seen.indexOf(mark);
      if (at >= 0) {
        const before = seen.slice(0, at);
        seen = seen.slice(at + mark.length);
        return before;
      }
      if (await readOn()) continue;
      throw new Error(`No ${mark} in ${JSON.stringify(seen)}`);
    }
  };
  const send = async (text: string): Promise<void> => {
    await writer.write(new TextEncoder().encode(text));
  };
  const terminal: Terminal = {
    async type(keys, mark): Promise<string> {
      await send(`${keys}\r`);
      const printed = await waitFor(mark);
      await waitFor(PROMPT);
      return printed;
    },
    async [Symbol.asyncDispose](): Promise<void> {
      try {
        // Ctrl-U clears the line; the end comes after the shell's last write.
        await send("\x15exit\r");
        while (await readOn());
      } catch {
        child.kill("SIGKILL");
      }
      await writer.close().catch(() => {});
      await reader.cancel().catch(() => {});
      await child.status;
    },
  };
  try {
    for (const line of setup) await send(`${line}\r`);
    await send("echo $READY\r");
    await waitFor(READY);
    await waitFor(PROMPT);
  } catch (error) {
    await terminal[Symbol.asyncDispose]();
    throw error;
  }
  return terminal;
}
