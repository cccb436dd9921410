import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { encode } from "../../../bpf/encode.ts";
import { strictModeProgram } from "../../../bpf/strict_mode.ts";
import {
  assembleProgram,
  callText,
  filterBytes,
  filterData,
} from "../../kernel/assemble.ts";
import { has, needs, sharedFile } from "../../machine.ts";
import { createFolder, shell, spawn } from "../harness.ts";

/** One load in the report. */
interface Load {
  readonly order: number;
  readonly pid: number;
  readonly tid: number;
  readonly comm: string;
  readonly call: string;
  readonly mode: string;
  readonly arch: string;
  readonly flags: readonly string[];
  readonly result: number | null;
  readonly errno: string | null;
  readonly instructions: number | null;
  readonly base64?: string;
  readonly file?: string | null;
}

interface Report {
  readonly code: number;
  readonly err: string;
  readonly loads: readonly Load[];
  readonly exit: {
    readonly code: number | null;
    readonly signal: number | null;
  };
  readonly ended: string | null;
  readonly unprivileged?: readonly string[];
}

async function dump(...args: readonly string[]): Promise<Report> {
  const { code, out, err } = await spawn(["dump", "-o", "json", ...args]);
  assert(out !== "", err);
  const report = JSON.parse(out);
  assertEquals(report.schemaVersion, 1);
  return { ...report, code, err };
}

function text(bytes: Uint8Array): string {
  return bytes.toBase64();
}

const call = (nr: number, ...args: readonly (number | string)[]): string =>
  callText(64, nr, ...args);
const SECCOMP = 317;
const PRCTL = 157;
const noNewPrivs = call(PRCTL, 38, 1, 0, 0, 0);
const exit = (code: number): string => call(231, code);

/** Loads that fail, one by each call, and one by each kind of child. */
const MANY = `.intel_syntax noprefix
.globl _start
_start:
${noNewPrivs}
${call(SECCOMP, 1, 0, 0)}
${call(SECCOMP, 1, 0, "&cut")}
${call(SECCOMP, 1, 0x4000, "&own")}
${call(SECCOMP, 0, 1, 0)}
${call(SECCOMP, 1, 2, "&own")}
${call(PRCTL, 22, 2, "&second")}
${call(PRCTL, 22, 1)}
${call(57)}
test eax, eax
jz child
${call(58)}
test eax, eax
jz quick
${call(56, 0x10f00, "&stack_end", 0, 0, 0)}
test eax, eax
jz thread
wait: ${call(24)}
cmp dword ptr [rip + done], 0
je wait
${call(61, -1, 0, 0, 0)}
${call(61, -1, 0, 0, 0)}
${exit(3)}
child: ${call(SECCOMP, 1, 0, "&forked")}
${exit(0)}
quick: ${call(SECCOMP, 1, 0, "&vforked")}
${exit(0)}
thread: ${call(PRCTL, 22, 2, "&threaded")}
mov dword ptr [rip + done], 1
${call(60, 0)}
.data
${filterData("own", 11, 64)}
${filterData("second", 12, 64)}
${filterData("forked", 13, 64)}
${filterData("vforked", 14, 64)}
${filterData("threaded", 15, 64)}
.balign 8
cut: .short 1
.balign 8
.quad own_code
done: .long 0
.bss
.balign 16
stack: .skip 4096
stack_end: .skip 64
`;

const test = needs("as", "x86_64");

test("dump: every load of a command, its threads and children, failed ones too", async () => {
  await using folder = await createFolder();
  const many = await assembleProgram(folder.path, "many", MANY);
  const { loads, exit, code, ended } = await dump("--", many);
  assertEquals([code, exit, ended], [0, { code: 3, signal: null }, null]);
  assertEquals(loads.map(({ order }) => order), loads.map((_, i) => i));
  const [main] = loads;
  assert(main !== undefined && loads.every(({ arch }) => arch === "x86_64"));
  const own = loads.filter(({ tid }) => tid === main.pid);
  assertEquals(
    own.map(({ call, mode, errno, flags, base64 }) => [
      ...[call, mode, errno, flags.join("|"), base64],
    ]),
    [
      ["seccomp", "filter", "EFAULT", "", undefined],
      ["seccomp", "filter", "EINVAL", "", text(filterBytes(11).slice(0, 8))],
      ["seccomp", "filter", "EINVAL", "0x4000", text(filterBytes(11))],
      ["seccomp", "strict", "EINVAL", "SECCOMP_FILTER_FLAG_TSYNC", undefined],
      [
        "seccomp",
        "filter",
        null,
        "SECCOMP_FILTER_FLAG_LOG",
        text(filterBytes(11)),
      ],
      ["prctl", "filter", null, "", text(filterBytes(12))],
      ["prctl", "strict", "EINVAL", "", undefined],
    ],
  );
  const others = loads.filter(({ tid }) => tid !== main.pid);
  assertEquals(
    others.map(({ base64 = "", pid, result }) => [
      base64,
      pid === main.pid,
      result,
    ]).sort(),
    ([[13, false], [14, false], [15, true]] as const).map((
      [errno, same],
    ) => [filterBytes(errno).toBase64(), same, 0]).sort(),
  );
  assertEquals(others.every(({ comm }) => comm === "many"), true);
});

test("dump: -O writes what was loaded, byte for byte, with an index", async () => {
  await using folder = await createFolder();
  const many = await assembleProgram(folder.path, "many", MANY);
  const out = `${folder.path}/filters`;
  const first = await spawn(["dump", "-q", "-O", out, "--", many]);
  assertEquals([first.code, first.out, first.err], [0, "", ""]);
  const index = JSON.parse(await Deno.readTextFile(`${out}/index.json`));
  assertEquals(index.schemaVersion, 1);
  assertEquals(index.command, [many]);
  let files = 0;
  for (const { file, result, sha256 } of index.loads) {
    assertEquals(file === null, sha256 === undefined);
    if (file === null) continue;
    files++;
    const bytes = await Deno.readFile(`${out}/${file}`);
    const digest = await crypto.subtle.digest("SHA-256", bytes);
    assertEquals(new Uint8Array(digest).toHex(), sha256);
    if (result === 0) assertEquals(bytes.length, 32);
  }
  assertEquals(files, 7);
  const again = await spawn(["dump", "-O", out, "--", many]);
  assertEquals(again.code, 2);
  assertStringIncludes(again.err, "it is not empty");
  const text = await spawn(["dump", "-q", "--limit", "1", "--", many]);
  assertStringIncludes(text.out, "many[");
  await Deno.writeTextFile(`${folder.path}/filter.s`, text.out);
  const read = await spawn([
    "simulate",
    "-q",
    `${folder.path}/filter.s`,
    "9999",
  ]);
  assertStringIncludes(read.out, "ERRNO");
});

test("dump: strict mode is shown as an equivalent filter", async () => {
  await using folder = await createFolder();
  const strict = await assembleProgram(
    folder.path,
    "strict",
    `.intel_syntax noprefix
.globl _start
_start:
${call(PRCTL, 22, 1)}
${call(1, 2, "&text", 2)}
${call(39)}
text: .ascii "ok"
`,
  );
  const { loads, exit, err } = await dump("--", strict);
  assertEquals(exit, { code: null, signal: 9 });
  assertStringIncludes(err, "ok");
  assertEquals(loads.map(({ mode, call, result }) => [mode, call, result]), [
    ["strict", "prctl", 0],
  ]);
  const program = strictModeProgram("x86_64");
  assertEquals(loads[0]?.base64, encode(program).toBase64());
});

test("strictModeProgram() allows what the kernel's lists name", async () => {
  await using folder = await createFolder();
  const file = `${folder.path}/strict.bpf`;
  await Deno.writeFile(file, encode(strictModeProgram("x86_64")));
  const verdicts = new Map<string, string>();
  for (const arch of ["x86_64", "x86"]) {
    for (
      const name of [
        "read",
        "write",
        "exit",
        "sigreturn",
        "rt_sigreturn",
        "exit_group",
        "getpid",
      ]
    ) {
      const { out, code } = await spawn([
        "simulate",
        "-q",
        file,
        `${arch}:${name}`,
      ]);
      if (code === 0) verdicts.set(`${arch}:${name}`, out.split("\n")[0] ?? "");
    }
  }
  const allowed = [...verdicts].filter(([, v]) => v === "ALLOW").map(([k]) =>
    k
  );
  assertEquals(allowed, [
    ...["x86_64:read", "x86_64:write", "x86_64:exit", "x86_64:rt_sigreturn"],
    ...["x86:read", "x86:write", "x86:exit", "x86:sigreturn"],
  ]);
  assertEquals(new Set(verdicts.values()), new Set(["ALLOW", "KILL_THREAD"]));
});

test("dump: 32-bit pointers of i386 and x32", async () => {
  await using folder = await createFolder();
  const x32 = await assembleProgram(
    folder.path,
    "x32",
    `.intel_syntax noprefix
.globl _start
_start:
${noNewPrivs}
${call(0x4000_0000 + SECCOMP, 1, 0, "&own")}
${exit(0)}
.data
${filterData("own", 21, 32)}
`,
  );
  // Kernels without x32 answer ENOSYS; the load is the same.
  const [load] = (await dump("--", x32)).loads;
  assertEquals([load?.arch, load?.base64], [
    "x32",
    filterBytes(21).toBase64(),
  ]);
  if (!has("i386", "loads of an i386 program")) return;
  const i386 = await assembleProgram(
    folder.path,
    "i386",
    `.intel_syntax noprefix
.globl _start
_start:
${callText(32, 172, 38, 1, 0, 0, 0)}
${callText(32, 354, 1, 0, "&own")}
${callText(32, 172, 22, 2, "&second")}
${callText(32, 1, 5)}
.data
${filterData("own", 22, 32)}
${filterData("second", 23, 32)}
`,
    32,
  );
  const { loads, exit: ended } = await dump("--", i386);
  assertEquals(ended.code, 5);
  assertEquals(
    loads.map(({ arch, result, base64 }) => [arch, result, base64]),
    [
      ["x86", 0, filterBytes(22).toBase64()],
      ["x86", 0, filterBytes(23).toBase64()],
    ],
  );
});

test("dump: --limit, --timeout and --until-exec end the command", async () => {
  await using folder = await createFolder();
  const many = await assembleProgram(folder.path, "many", MANY);
  const limited = await dump("--limit", "2", "--", many);
  const loaded = limited.loads.filter(({ result }) => result === 0);
  assertEquals([limited.code, limited.ended, loaded.length], [0, "limit", 2]);
  assertEquals(limited.exit.signal, 9);
  const slow = await dump(
    "--timeout",
    "1",
    "--",
    "sh",
    "-c",
    "sleep 600 & sleep 600",
  );
  assertEquals([slow.code, slow.ended, slow.exit.signal], [1, "timeout", 9]);
  const mark = `${folder.path}/mark`;
  const launcher = await assembleProgram(
    folder.path,
    "launcher",
    `.intel_syntax noprefix
.globl _start
_start:
${noNewPrivs}
${call(SECCOMP, 1, 0, "&own")}
${call(59, "&path", "&argv", 0)}
.data
${filterData("own", 11, 64)}
path: .asciz "/bin/sh"
minus: .asciz "-c"
script: .asciz "echo ran >${mark}"
.balign 8
argv: .quad path, minus, script, 0
`,
  );
  const before = await dump(
    "--until-exec",
    "--",
    "sh",
    "-c",
    `true; ${launcher}; true`,
  );
  assertEquals([before.ended, before.loads.length], ["exec", 1]);
  const missing = await Deno.stat(mark).then(() => false, () => true);
  assertEquals(missing, true);
  assertEquals((await dump("--", launcher)).loads.length, 1);
  assertEquals(await Deno.readTextFile(mark), "ran\n");
});

test("dump: a command keeps its status, signals, environment and standard streams", async () => {
  const script = `
    # Limits, group, and ignored signals; those from 32 on are the C library's.
    state='ulimit -n; cut -d" " -f5 /proc/self/stat; grep SigIgn /proc/self/status | tail -c 9'
    printf out
    A=1 $CLI dump -q -O filters -- sh -c 'read x; echo "$x $A"; echo err >&2; exit 7' <<<in 2>err
    echo "code $?"
    $CLI dump -q -O two -- sh -c 'kill -TERM $$'; echo "code $?"
    grep -A1 '"code"' filters/index.json two/index.json | tr -d ' \\n'; echo
    env -i PATH="$PATH" /usr/bin/env >one; env -i PATH="$PATH" $CLI dump -q -O three -- /usr/bin/env >two.env
    cmp one two.env && echo same
    $CLI dump -q -O four -- sh -c "$state" >four.out
    sh -c "$state" >five.out; cmp four.out five.out && echo same
    $CLI dump -- no-such-command; echo "code $?"
    $CLI dump -- /etc/passwd; echo "code $?"
    $CLI dump -- true; echo "code $?"
    # To the whole group: the command, this program and its clock.
    setsid -w $CLI dump -q --timeout 60 -O seven -- sh -c 'trap "" INT; kill -INT 0; exit 4' &
    wait; tr -d ' \\n' <seven/index.json | grep -o '"exit":{[^}]*},"ended":[a-z]*'
    printf 'exit 9\\n' >script; chmod +x script; $CLI dump -q -O six -- ./script; grep -c '"code": 9' six/index.json
  `;
  await using folder = await createFolder();
  const { out, err } = await shell(script, { cwd: folder.path });
  assertEquals(
    out.split("\n"),
    [
      "outin 1",
      "code 1",
      "code 1",
      'filters/index.json:"code":7,filters/index.json-"signal":null--two/index.json:"code":null,two/index.json-"signal":15',
      "same",
      "same",
      "code 127",
      "code 126",
      "code 1",
      '"exit":{"code":4,"signal":null},"ended":null',
      "1",
      "",
    ],
    err,
  );
  assertEquals(await Deno.readTextFile(`${folder.path}/err`), "err\n");
});

needs("as", "x86_64", "setpriv")(
  "dump: without privileges, and programs that lose theirs",
  async () => {
    await using folder = await createFolder();
    const many = await assembleProgram(folder.path, "many", MANY);
    await Deno.chmod(many, 0o4755);
    // Root without capabilities is an ordinary user.
    const lower = Deno.uid() === 0 ? "setpriv --bounding-set=-all" : "";
    const { out, err, code } = await shell(
      `exec ${lower} $CLI dump -o json -- ${many}`,
    );
    assertEquals(code, 0, err);
    const report = JSON.parse(out);
    assertEquals(report.loads.length, 10);
    assertEquals(report.unprivileged, [many]);
    assertStringIncludes(err, "without its owner's privileges");
  },
);

/** A load as strace shows it, with numbers instead of names. */
interface Shown {
  readonly call: string;
  readonly length: string;
  readonly program: string;
  readonly errno: string;
}

/** Reads what `strace -X raw` shows of loads. */
function readStrace(text: string): readonly Shown[] {
  const whole = new Map<string, string>();
  const shown: Shown[] = [];
  for (const line of text.split("\n")) {
    const [, pid = "", rest = ""] = /^(\d+) +(.*)$/.exec(line) ?? [];
    const unfinished = /^(.*) <unfinished \.\.\.>$/.exec(rest)?.[1];
    if (unfinished !== undefined) {
      whole.set(pid, unfinished);
      continue;
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest)?.[1];
    const text = resumed === undefined ? rest : whole.get(pid) + resumed;
    const load =
      /^(seccomp)\(0x1, \w+, (.*)\) += (.*)$|^(prctl)\(0x16, 0x2, (.*)\) += (.*)$/
        .exec(text);
    if (load === null) continue;
    const [, seccomp, a, x, prctl, b, y] = load;
    const program = a ?? b ?? "";
    shown.push({
      call: seccomp ?? prctl ?? "",
      length: /len=(\d+)/.exec(program)?.[1] ?? "0",
      program: [...program.matchAll(/BPF_(?:STMT|JUMP)\(([^()]*)\)/g)].map(
        ([, fields = ""]) => {
          const [code = "", k = "", jt = "0", jf = "0"] = fields.split(", ");
          return [sum(code), Number(jt), Number(jf), sum(k)].join(" ");
        },
      ).join("; "),
      errno: /-1 (\w+)/.exec(x ?? y ?? "")?.[1] ?? "",
    });
  }
  return shown;
}

/** Adds bits that strace shows apart, as in `0x50000|0x1`. */
function sum(bits: string): number {
  return bits.split("|").reduce((all, bit) => (all | Number(bit)) >>> 0, 0);
}

function instructionsOf(base64 = ""): string {
  const view = new DataView(Uint8Array.fromBase64(base64).buffer);
  const rows: string[] = [];
  for (let at = 0; at < view.byteLength; at += 8) {
    rows.push([
      view.getUint16(at, true),
      view.getUint8(at + 2),
      view.getUint8(at + 3),
      view.getUint32(at + 4, true),
    ].join(" "));
  }
  return rows.join("; ");
}

/** Compares the loads of a command with those that strace shows. */
async function compareWithStrace(
  folder: string,
  command: readonly string[],
): Promise<readonly Load[]> {
  const log = `${folder}/strace`;
  await new Deno.Command("strace", {
    args: [
      ...["-f", "-X", "raw", "-v", "-s", "999999", "-o", log],
      ...["-e", "trace=seccomp,prctl", ...command],
    ],
    ...{ stdin: "null", stdout: "null", stderr: "null" },
  }).output();
  const shown = readStrace(await Deno.readTextFile(log));
  const { loads } = await dump("--", ...command);
  const filters = loads.filter(({ mode }) => mode === "filter");
  const ours = filters.map(({ call, instructions, base64, errno }): Shown => ({
    call,
    length: String(instructions),
    program: instructionsOf(base64),
    errno: errno ?? "",
  }));
  const sorted = (rows: readonly Shown[]): readonly string[] =>
    rows.map((row) => JSON.stringify(row)).sort();
  assertEquals(sorted(ours), sorted(shown), command.join(" "));
  return loads;
}

needs("as", "x86_64", "strace", "man")(
  "dump: reports the same loads as strace, of our program and of man",
  async () => {
    await using folder = await createFolder();
    const many = await assembleProgram(folder.path, "many", MANY);
    await compareWithStrace(folder.path, [many]);
    const page = await folder.write("page.1", ".TH PAGE 1\n.SH NAME\npage\n");
    const loads = await compareWithStrace(folder.path, [
      "man",
      "-P",
      "cat",
      "-l",
      page,
    ]);
    const programs = new Set(
      loads.flatMap(({ result, base64 }) =>
        result === 0 && base64 !== undefined ? [base64] : []
      ),
    );
    assert(programs.size > 0);
    if (!has("shared", "the filter of man-db that was captured by hand")) {
      return;
    }
    const index: readonly {
      readonly file: string;
      readonly version: string;
    }[] = JSON.parse(await Deno.readTextFile(sharedFile("filters/index.json")));
    const { stdout } = await new Deno.Command("dpkg-query", {
      args: ["-W", "-f", "${Version}", "man-db"],
    }).output();
    const captured = index.find(({ file }) => file === "man-0.bpf");
    // Another version of man-db may load another filter.
    if (captured?.version !== new TextDecoder().decode(stdout)) return;
    const bytes = await Deno.readFile(sharedFile("filters/man-0.bpf"));
    assertEquals(programs.has(bytes.toBase64()), true);
  },
);
