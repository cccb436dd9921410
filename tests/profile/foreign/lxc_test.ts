import { assertEquals } from "@std/assert";
import { readLxc } from "../../../profile/foreign/lxc.ts";
import { answer, archOf, problems } from "./shared.ts";

const native = archOf("x86_64");

Deno.test("readLxc() reads a list of denied calls", () => {
  const read = readLxc(
    `2
denylist
# a comment
reject_force_umount
kexec_load errno 1
mount trap
ioctl errno 25 [1,0x5412,SCMP_CMP_MASKED_EQ,0xffffffff]
personality kill [0,0x10,>=][1,3,!=]
socket errno 97
[x86]
ptrace errno 5
[arm]
reboot
`,
    { native },
  );
  const cases: Readonly<Record<string, string>> = {
    "umount2 0 1": "ERRNO(EACCES)",
    "umount2 0 2": "ALLOW",
    "kexec_load": "ERRNO(EPERM)",
    mount: "TRAP",
    "ioctl 0 0x100005412": "ERRNO(ENOTTY)",
    "ioctl 0 0x5413": "ALLOW",
    "personality 16 4": "KILL_THREAD",
    "personality 16 3": "ALLOW",
    socket: "ERRNO(EAFNOSUPPORT)",
    // LXC adds no rules for calls that an architecture multiplexes.
    "x86:socket": "ALLOW",
    "x86:socketcall 1": "ALLOW",
    // A section for this machine is for all of its architectures.
    ptrace: "ERRNO(EIO)",
    "x86:ptrace": "ERRNO(EIO)",
    "x32:ptrace": "ERRNO(EIO)",
    reboot: "ALLOW",
    "aarch64:read": "KILL_THREAD",
  };
  for (const [call, wanted] of Object.entries(cases)) {
    assertEquals(answer(read, call), wanted, call);
  }
  assertEquals(read.diagnostics.map(({ line, severity }) => [line, severity]), [
    [10, "warning"],
  ]);
});

Deno.test("readLxc() reads a list of permitted calls, in old words", () => {
  const read = readLxc(
    "2\nwhitelist errno 38\n[all]\nread\nclone allow [0,0x10,&=,0x10]\nlseek notify\n",
    { native: archOf("aarch64") },
  );
  const cases: Readonly<Record<string, string>> = {
    "aarch64:read": "ALLOW",
    "arm:read": "ALLOW",
    "aarch64:clone 0x11": "ALLOW",
    "aarch64:clone 1": "ERRNO(ENOSYS)",
    "aarch64:lseek": "USER_NOTIF",
    "aarch64:write": "ERRNO(ENOSYS)",
    "x86_64:read": "KILL_THREAD",
  };
  for (const [call, wanted] of Object.entries(cases)) {
    assertEquals(answer(read, call), wanted, call);
  }
});

Deno.test("readLxc() reports all that LXC refuses, and what it ignores", () => {
  const text = `2
allowlist errno 1
read allow [0,1,==] 
 open
write errno 1
[x87]
close allow [0,1,=]
dup allow [0,1,==][0,2,==]
dup2 allow [6,1,==]
nosuchcall
`;
  assertEquals(problems(() => readLxc(text, { native })), [
    '3:12 Cannot read the comparisons "[0,1,==] "',
    '4:2 Cannot read the action "open"',
    '4:1 Unknown system call "", which LXC ignores',
    '5:1 LXC refuses a rule with the default action: "write errno 1"',
    '6:1 Unknown architecture "[x87]"',
  ]);
  const others: readonly (readonly [string, string])[] = [
    ["1\nwhitelist\n", '1:1 Cannot read version "1"'],
    ["2\nlist\n", '2:1 Cannot read the kind "list"'],
    [
      "2\ndenylist\ndup kill [0,1,==][0,2,==]\n",
      "3:10 Two comparisons are of one argument, which libseccomp refuses",
    ],
    [
      "2\ndenylist\nclose kill [0,1,=]\n",
      '3:12 Cannot read the comparisons "[0,1,=]"',
    ],
    [
      "2\ndenylist\ndup2 kill [6,1,==]\n",
      '3:11 Cannot read the comparisons "[6,1,==]"',
    ],
  ];
  for (const [policy, wanted] of others) {
    assertEquals(problems(() => readLxc(policy, { native })), [wanted]);
  }
});
