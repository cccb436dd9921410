import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { prepare, run } from "../../../bpf/run.ts";
import { toWords } from "../../../bpf/seccomp_data.ts";
import { supervise } from "../../../ffi/traced/supervise.ts";
import { observeProgram } from "../../../pipeline/observe.ts";
import { assembleProgram, callText } from "../../kernel/assemble.ts";
import { needs } from "../../machine.ts";
import { createFolder, type Folder, MAIN, shell, spawn } from "../harness.ts";

/** A denied call in the report. */
interface Shown {
  readonly call: string;
  readonly arch: string;
  readonly args: readonly {
    readonly name: string;
    readonly value: string;
    readonly text?: string;
  }[];
  readonly verdict: string;
  readonly rule: string;
  readonly allowed: boolean;
  readonly stable: boolean;
  readonly pid: number;
  readonly tid: number;
  readonly comm: string;
  readonly exe: string;
  readonly place: { readonly file: string; readonly offset: string } | null;
}

const call = (nr: number, ...args: readonly (number | string)[]): string =>
  callText(64, nr, ...args);
const exit = (code: number): string => call(231, code);

/** Numbers of x86_64. */
const ACCT = 163;
const MKDIR = 83;
const SWAPON = 167;
const SYNC = 162;
const CONNECT = 42;

/** Allows everything except a call for each answer. */
const PROFILE = JSON.stringify({
  defaultAction: "SCMP_ACT_ALLOW",
  architectures: ["SCMP_ARCH_X86_64"],
  syscalls: [
    { names: ["acct"], action: "SCMP_ACT_ERRNO", errnoRet: 1 },
    { names: ["swapon"], action: "SCMP_ACT_ERRNO", errnoRet: 38 },
    { names: ["mkdir"], action: "SCMP_ACT_ERRNO", errnoRet: 0 },
    {
      names: ["connect"],
      action: "SCMP_ACT_ERRNO",
      errnoRet: 13,
      args: [{ index: 0, value: 7, op: "SCMP_CMP_EQ" }],
    },
    { names: ["sync"], action: "SCMP_ACT_TRAP" },
    { names: ["syncfs"], action: "SCMP_ACT_KILL_PROCESS" },
    { names: ["swapoff"], action: "SCMP_ACT_KILL_THREAD" },
  ],
});

async function program(
  folder: Folder,
  name: string,
  code: string,
  data = "",
): Promise<string> {
  return await assembleProgram(
    folder.path,
    name,
    `.intel_syntax noprefix\n.globl _start\n_start:\n${code}\n.data\n${data}\n`,
  );
}

async function why(
  folder: Folder,
  ...words: readonly string[]
): Promise<{ readonly code: number; readonly shown: readonly Shown[] }> {
  const profile = await folder.write("profile.json", PROFILE);
  const split = words.indexOf("--");
  const { code, err } = await spawn([
    ...["why", "-o", "json", ...words.slice(0, split), profile],
    ...words.slice(split),
  ]);
  const lines = err.trim().split("\n").filter((line) => line.startsWith("{"));
  return { code, shown: lines.map((line) => JSON.parse(line)) };
}

const test = needs("as", "x86_64");

test("why: a denied call has its arguments, its thread, its place and its rule", async () => {
  await using folder = await createFolder();
  const path = await program(
    folder,
    "denied",
    `${call(ACCT, "&path")}
neg eax
mov ebx, eax
${call(SWAPON, "&path", 0x8000)}
neg eax
add ebx, eax
${call(MKDIR, "&path", 0o755)}
add ebx, eax
${call(CONNECT, 7, "&address", 16)}
neg eax
add ebx, eax
mov edi, ebx
mov eax, 231
syscall`,
    `path: .asciz "/tmp/a \\"b\\""
address: .short 2; .byte 0x1f, 0x90, 127, 0, 0, 1; .quad 0`,
  );
  const { code, shown } = await why(folder, "--", path);
  // The errnos 1, 38, 0 and 13, as the filter gives them.
  assertEquals(code, 52);
  const plain = await spawn([
    "run",
    "-q",
    `${folder.path}/profile.json`,
    "--",
    path,
  ]);
  assertEquals(plain.code, 52);
  const texts = shown.map(({ call, args, verdict, rule }) => [
    call,
    args.map(({ name, text, value }) => `${name}=${text ?? value}`).join(" "),
    verdict,
    rule.replace(/ \(.*profile\.json:1:\d+\)$/, " at its line"),
  ]);
  assertEquals(
    texts,
    [
      [
        "acct",
        'name="/tmp/a \\"b\\""',
        "ERRNO(EPERM)",
        "syscalls[0] at its line",
      ],
      [
        "swapon",
        'path="/tmp/a \\"b\\"" swap_flags=SWAP_FLAG_PREFER',
        "ERRNO(ENOSYS)",
        "syscalls[1] at its line",
      ],
      [
        "mkdir",
        'pathname="/tmp/a \\"b\\"" mode=0o755',
        "ERRNO(0)",
        "syscalls[2] at its line",
      ],
      [
        "connect",
        "fd=7 addr=AF_INET 127.0.0.1:8080 addrlen=16",
        "ERRNO(EACCES)",
        "syscalls[3] at its line",
      ],
    ].map((row, i) => i === 1 ? [row[0], texts[1]?.[1], row[2], row[3]] : row),
  );
  assertStringIncludes(texts[1]?.[1] ?? "", 'path="/tmp/a \\"b\\""');
  for (const { exe, comm, place, stable, allowed, pid, tid, arch } of shown) {
    assertEquals([exe, comm, place?.file, arch], [
      path,
      "denied",
      path,
      "x86_64",
    ]);
    assertEquals([stable, allowed, pid === tid], [true, false, true]);
  }
});

test("why: children and threads, and the answers that stay with the kernel", async () => {
  await using folder = await createFolder();
  const path = await program(
    folder,
    "many",
    `${call(57)}
test eax, eax
jz trapped
${call(61, -1, "&status", 0, 0)}
mov ebx, dword ptr [rip + status]
${call(57)}
test eax, eax
jz killed
${call(61, -1, "&status", 0, 0)}
add ebx, dword ptr [rip + status]
${call(56, 0x10f00, "&stack_end", 0, 0, 0)}
test eax, eax
jz thread
${call(56, 0x210f00, "&other_end", 0, "&alive", 0)}
test eax, eax
jz ended
wait: ${call(24)}
cmp dword ptr [rip + done], 0
je wait
cmp dword ptr [rip + alive], 0
jne wait
and ebx, 0x7f
mov edi, ebx
mov eax, 231
syscall
trapped: ${call(SYNC)}
${exit(1)}
killed: ${call(306, 9)}
${exit(1)}
ended: ${call(168, "&path")}
thread: ${call(ACCT, "&path")}
mov dword ptr [rip + done], 1
${call(60, 0)}`,
    `path: .asciz "thread"
status: .long 0
done: .long 0
alive: .long 1
.bss
.balign 16
stack: .skip 4096
stack_end: .skip 64
other: .skip 4096
other_end: .skip 64`,
  );
  const { code, shown } = await why(folder, "--", path);
  // Both children ended by SIGSYS, 31.
  assertEquals(code, 62);
  const found = shown.map(({ call, args, verdict, pid, tid }) =>
    [call, verdict, args[0]?.text ?? args[0]?.value ?? "", pid === tid].join(
      " ",
    )
  ).sort();
  assertEquals(found, [
    'acct ERRNO(EPERM) "thread" false',
    'swapoff KILL_THREAD "thread" false',
    "sync TRAP  true",
    "syncfs KILL_PROCESS 9 true",
  ]);
});

test("why: --allow-all lets denied calls proceed, --summary counts them", async () => {
  await using folder = await createFolder();
  const made = `${folder.path}/made`;
  const path = await program(
    folder,
    "maker",
    `${call(MKDIR, "&path", 0o755)}\n${call(MKDIR, "&path", 0o755)}\n${
      exit(0)
    }`,
    `path: .asciz "${made}"`,
  );
  await why(folder, "--", path);
  assertEquals(await Deno.stat(made).then(() => true, () => false), false);
  const { shown } = await why(folder, "--allow-all", "--", path);
  assertEquals(shown.map(({ allowed }) => allowed), [true, true]);
  assertEquals((await Deno.stat(made)).isDirectory, true);
  const { code, shown: summary } = await why(folder, "--summary", "--", path);
  const [counts] = summary as unknown as readonly {
    readonly denials: number;
    readonly calls: readonly { readonly count: number }[];
  }[];
  assertEquals([code, counts?.denials, counts?.calls[0]?.count], [0, 2, 2]);
});

test("why: no answer of many calls is changed, and all are reported", async () => {
  await using folder = await createFolder();
  const path = await program(
    folder,
    "loop",
    `mov ebx, 5000
again: ${call(ACCT, 0)}
cmp eax, -1
jne wrong
${call(39)}
dec ebx
jnz again
${exit(0)}
wrong: ${exit(1)}`,
  );
  const { code, shown } = await why(folder, "--summary", "--", path);
  assertEquals(code, 0);
  const [summary] = shown as unknown as readonly { readonly denials: number }[];
  assertEquals(summary?.denials, 5000);
});

test("why: the command dies with its supervisor, and never runs under a weaker filter", async () => {
  await using folder = await createFolder();
  const profile = await folder.write("profile.json", PROFILE);
  // Ends by exit 9 if a call gets anything but EPERM.
  const path = await program(
    folder,
    "forever",
    `again: ${call(ACCT, 0)}
cmp eax, -1
je again
${call(MKDIR, "&path", 0o755)}
${exit(9)}`,
    `path: .asciz "${folder.path}/freer"`,
  );
  const pidFile = `${folder.path}/pid`;
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", MAIN, "why", "--summary", profile, "--"],
      ...["sh", "-c", `echo $$ >${pidFile}; ${path} & exec ${path}`],
    ],
    ...{ stdin: "null", stdout: "null", stderr: "null" },
  }).spawn();
  const pause = (): Promise<void> =>
    new Promise((resolve) => setTimeout(resolve, 50));
  let pid = "";
  while (pid === "") {
    await pause();
    pid = await Deno.readTextFile(pidFile).then((t) => t.trim(), () => "");
  }
  await pause();
  child.kill("SIGKILL");
  await child.status;
  // There may be no process to take its status.
  const isAlive = async (): Promise<boolean> =>
    /^State:\s+[^ZX]/m.test(
      await Deno.readTextFile(`/proc/${pid}/status`).catch(() => ""),
    );
  while (await isAlive()) await pause();
  const freer = await Deno.stat(`${folder.path}/freer`).then(
    () => true,
    () => false,
  );
  assertEquals(freer, false);
});

test("supervise() reports memory that changed as unstable", async () => {
  await using folder = await createFolder();
  const path = await program(folder, "once", `${call(ACCT, 0)}\n${exit(0)}`);
  const original = [
    { op: "ld.abs", jt: 0, jf: 0, k: 0 },
    { op: "jeq.k", jt: 0, jf: 1, k: ACCT },
    { op: "ret.k", jt: 0, jf: 0, k: 0x0005_0001 },
    { op: "ret.k", jt: 0, jf: 0, k: 0x7fff_0000 },
  ] as const;
  const found = observeProgram(original);
  assert(found.kind === "observation");
  const prepared = prepare(original);
  for (const changes of [true, false]) {
    let reads = 0;
    const stable: boolean[] = [];
    const result = supervise<number>({
      command: path,
      observer: found.bytes,
      answer: (data) => run(prepared, toWords(data, true)),
      inspect: () => changes ? reads++ : 0,
      onDenial: (denial) => stable.push(denial.stable),
      onExec: () => {},
      allowAll: false,
    });
    assertEquals(result, { code: 0, signal: undefined });
    assertEquals(stable, [!changes]);
  }
});

test("why: status, signals and refusals are the same as for run", async () => {
  await using folder = await createFolder();
  await folder.write("profile.json", PROFILE);
  await folder.write(
    "noexec.json",
    JSON.stringify({
      defaultAction: "SCMP_ACT_ALLOW",
      syscalls: [{ names: ["execve"], action: "SCMP_ACT_ERRNO" }],
    }),
  );
  await folder.write("notify.s", "ret #0x7fc00000\n");
  const { out, err } = await shell(
    `
    for kind in run why; do
      $CLI $kind -q profile.json -- sh -c 'read x; echo "$x"; exit 7' <<<in; echo "code $?"
      $CLI $kind -q profile.json -- sh -c 'kill -TERM $$'; echo "code $?"
      $CLI $kind -q profile.json -- no-such-command; echo "code $?"
      $CLI $kind -q profile.json -- /etc/passwd; echo "code $?"
      $CLI $kind -q noexec.json -- true; echo "code $?"
      $CLI $kind -q notify.s -- true; echo "code $?"
      $CLI $kind -q profile.json; echo "code $?"
    done`,
    { cwd: folder.path },
  );
  const lines = out.trim().split("\n");
  assertEquals(lines.slice(8), lines.slice(0, 8), err);
  assertEquals(
    lines.slice(0, 8),
    ["in", ...[7, 143, 127, 126, 126, 3, 2].map((n) => `code ${n}`)],
  );
});

needs("as", "x86_64", "setpriv")(
  "why: an ordinary user observes with no_new_privs",
  async () => {
    await using folder = await createFolder();
    const profile = await folder.write("profile.json", PROFILE);
    const path = await program(
      folder,
      "user",
      `${call(ACCT, 0)}
${call(157, 39, 0, 0, 0, 0)}
mov edi, eax
mov eax, 231
syscall`,
    );
    const lower = Deno.uid() === 0 ? "setpriv --bounding-set=-all" : "";
    const { code, err } = await shell(
      `exec ${lower} $CLI why -o json ${profile} -- ${path}`,
    );
    // PR_GET_NO_NEW_PRIVS answers 1.
    assertEquals(code, 1, err);
    assertStringIncludes(err, '"call":"acct"');
  },
);
