import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { ProfileError } from "../../../profile/diagnostic.ts";
import { parseWeights } from "../../../profile/formats/weights.ts";

const EXPECTED = new Map([["read", 3], ["close", 1]]);

Deno.test("weights: JSON and lines in either order are equivalent", () => {
  for (
    const text of [
      '{"read": 3, "close": 1}',
      "read 3\nclose 1",
      "read: 3\nclose: 1\n",
      "3 read\n1 close\n",
      "# counted yesterday\n\nread 2 # first\nread 1\nclose 1\n",
    ]
  ) assertEquals(parseWeights(text).counts, EXPECTED, text);
});

Deno.test("weights: strace -c counts calls, with and without errors", () => {
  const text = `% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 70.00    0.000010           3         3         1 read
 30.00    0.000002           2         1           close
------ ----------- ----------- --------- --------- ----------------
100.00    0.000012                     4         1 total
`;
  assertEquals(parseWeights(text).counts, EXPECTED);
});

Deno.test("weights: perf trace -s sums the processes", () => {
  const text = ` Summary of events:

 cat (4242), 12 events, 60.0%

   syscall            calls  errors  total       min       avg       max       stddev
                                     (msec)    (msec)    (msec)    (msec)        (%)
   --------------- --------  ------ -------- --------- --------- ---------     ------
   read                   2      0     0.010     0.002     0.005     0.008     10.00%
   close                  1      0     0.001     0.001     0.001     0.001      0.00%

 cat (4243), 3 events, 40.0%

   read                   1      0     0.010     0.010     0.010     0.010      0.00%
`;
  assertEquals(parseWeights(text).counts, EXPECTED);
});

Deno.test("weights: a name that exists nowhere is ignored with a warning", () => {
  const { counts, diagnostics } = parseWeights(
    "read 3\nno_such_call 9\nclose 1",
  );
  assertEquals(counts, EXPECTED);
  assertEquals(
    diagnostics.map(({ severity, code, line }) => [
      severity,
      code,
      line,
    ]),
    [["warning", "unknown-syscall", 2]],
  );
});

Deno.test("weights: an unreadable line is reported with its place", () => {
  const error = assertThrows(
    () => parseWeights("read 3\nclose many\n"),
    ProfileError,
  );
  const [first] = error.diagnostics;
  assertEquals(first?.line, 2);
  assertStringIncludes(first?.message ?? "", "close many");
});

Deno.test("weights: invalid counts are refused", () => {
  for (
    const text of [
      "",
      "read 0",
      "{}",
      "{",
      '{"read": -1}',
      '{"read": "3"}',
      '{"read": 1e999}',
      "read -1",
    ]
  ) assertThrows(() => parseWeights(text), ProfileError, "Cannot", text);
});

Deno.test("weights: a repeated key of JSON is refused with its place", () => {
  const table = [
    ['{"read": 3,\n "read": 1}', 2, 2],
    ['{"read": 3, "\\u0072ead": 3}', 1, 13],
  ] as const;
  for (const [text, line, column] of table) {
    const error = assertThrows(() => parseWeights(text), ProfileError, "read");
    assertEquals(
      error.diagnostics.map((d) => [d.severity, d.line, d.column]),
      [["error", line, column]],
    );
  }
  // Lines are those of several processes.
  assertEquals(parseWeights("read 2\nread 1\nclose 1").counts, EXPECTED);
});
