import { assertEquals } from "@std/assert";
import { sendToSyslog } from "../../hook/syslog.ts";

const SYSLOG = new URL("../../hook/syslog.ts", import.meta.url).href;

Deno.test("sendToSyslog() sends one datagram with facility, severity and process", async () => {
  const folder = await Deno.makeTempDir({ prefix: "seccomp-tree-syslog-" });
  const path = `${folder}/log`;
  // Datagram sockets are an unstable part of Deno.
  const program = `
    import { sendToSyslog } from ${JSON.stringify(SYSLOG)};
    const path = ${JSON.stringify(path)};
    const socket = Deno.listenDatagram({ transport: "unixpacket", path });
    for (const level of ["error", "warning", "info"]) {
      const sent = sendToSyslog(level, "Größe", path);
      const [bytes] = await socket.receive();
      const line = new TextDecoder().decode(bytes);
      console.log(sent, line.replace(String(Deno.pid), "PID"));
    }
    socket.close();`;
  try {
    await Deno.writeTextFile(`${folder}/main.ts`, program);
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", "--unstable-net", `${folder}/main.ts`],
    }).output();
    // Facility 3 is LOG_DAEMON; RFC 5424, table 2.
    assertEquals(
      new TextDecoder().decode(stdout),
      "true <27>seccomp-tree[PID]: Größe\n" +
        "true <28>seccomp-tree[PID]: Größe\n" +
        "true <30>seccomp-tree[PID]: Größe\n",
      new TextDecoder().decode(stderr),
    );
    assertEquals(sendToSyslog("info", "no daemon", `${folder}/missing`), false);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
