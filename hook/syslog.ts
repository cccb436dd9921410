/**
 * Sends one datagram to the system log, `/dev/log` (syslog(3), RFC 3164 without
 * the header that the daemon adds).
 *
 * Deno's own datagram sockets are unstable, so this goes through libc's
 * `syscall` with numbers from the tables.
 *
 * @module
 */

import { openLibc } from "../ffi/libc.ts";
import { hostArch } from "../host/machine.ts";

/** sys/socket.h. */
const AF_UNIX = 1;
const SOCK_DGRAM_CLOEXEC_NONBLOCK = 2 | 0x8_0000 | 0x800;
const MSG_NOSIGNAL = 0x4000;

/** sys/syslog.h: facility `LOG_DAEMON`, then the severity. */
/**
 * Severity of a line.
 *
 * @category Containers
 */
export type LogLevel = "error" | "warning" | "info";

const PRIORITY: Readonly<Record<LogLevel, number>> = {
  error: 3 << 3 | 3,
  warning: 3 << 3 | 4,
  info: 3 << 3 | 6,
};

/** Socket of the daemon. */
const DEV_LOG = "/dev/log";

/**
 * Sends a line.
 *
 * @param level Severity.
 * @param line The line without its break.
 * @param path The daemon's socket.
 * @returns True if the kernel accepted it; false without a daemon or
 * `--allow-ffi`.
 */
export function sendToSyslog(
  level: LogLevel,
  line: string,
  path: string = DEV_LOG,
): boolean {
  try {
    return send(
      new TextEncoder().encode(
        `<${PRIORITY[level]}>seccomp-tree[${Deno.pid}]: ${line}`,
      ),
      path,
    );
  } catch {
    return false;
  }
}

function send(message: Uint8Array<ArrayBuffer>, path: string): boolean {
  const calls = hostArch()?.syscalls;
  const socket = calls?.get("socket");
  const sendto = calls?.get("sendto");
  if (socket === undefined || sendto === undefined) return false;
  const { symbols } = openLibc();
  const fd = symbols.syscall(
    BigInt(socket),
    BigInt(AF_UNIX),
    BigInt(SOCK_DGRAM_CLOEXEC_NONBLOCK),
    0n,
    0n,
    0n,
    0n,
  );
  if (fd < 0) return false;
  try {
    // struct sockaddr_un { u16 family; char path[]; }
    const address = new Uint8Array([
      AF_UNIX,
      0,
      ...new TextEncoder().encode(path),
      0,
    ]);
    // `kept` is read after the call, so both buffers outlive it.
    const kept = [message, address];
    const sent = symbols.syscall(
      BigInt(sendto),
      BigInt(fd),
      Deno.UnsafePointer.value(Deno.UnsafePointer.of(message)),
      BigInt(message.length),
      BigInt(MSG_NOSIGNAL),
      Deno.UnsafePointer.value(Deno.UnsafePointer.of(address)),
      BigInt(address.length),
    );
    return sent === kept[0]?.length;
  } finally {
    symbols.close(fd);
  }
}
