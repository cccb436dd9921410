import { assertEquals, assertMatch } from "@std/assert";
import { paintVerdicts } from "../../../cli/output/paint.ts";
import { call } from "../harness.ts";

Deno.test("paintVerdicts() colors verdicts and directions, and nothing else", () => {
  const text = "looser: ERRNO(EPERM) -> ALLOW on x86\n" +
    "  KILL_THREAD SCMP_ACT_ALLOW ./LOG looser: TRACE(2)\n";
  const painted = paintVerdicts({ outColor: true }, text);
  // deno-lint-ignore no-control-regex -- the sequences are what is tested
  assertEquals(painted.replace(/\x1b\[[0-9;]*m/g, ""), text);
  assertEquals(
    painted.split("\x1b[").slice(1).filter((part) => !part.startsWith("0m"))
      .map((part) => part.replace(/^[0-9;]*m/, "")),
    ["looser", "ERRNO(EPERM)", "ALLOW", "KILL_THREAD", "TRACE(2)"],
  );
  assertEquals(paintVerdicts({ outColor: false }, text), text);
});

Deno.test("--color controls reports, and JSON is never colored", async () => {
  const words = ["simulate", "-q", "--arch", "x86_64", "default:docker", "bpf"];
  const always = await call([...words, "--color", "always"]);
  assertEquals(
    always.out.split("\n")[0],
    "\x1b[33mERRNO(EPERM)\x1b[0m",
  );
  const never = await call([...words, "--color", "never"], { color: true });
  assertMatch(never.out, /^ERRNO\(EPERM\)\n/);
  const json = await call([...words, "--color", "always", "-o", "json"]);
  assertEquals(JSON.parse(json.out).verdict, "ERRNO(EPERM)");
});
