/**
 * Sets of values: sockets. Numbers come from the headers; those that only the
 * kernel's own source has are written here.
 *
 * @module
 */

import { flags, NOTHING, one, type SetSource } from "./source.ts";

/**
 * Types of sockets. Source, Linux 6.18: include/linux/net.h and
 * arch/mips/include/asm/socket.h (`enum sock_type`).
 */
const SOCKET_TYPES: Readonly<Record<string, string>> = {
  SOCK_STREAM: "(MIPS ? 2 : 1)",
  SOCK_DGRAM: "(MIPS ? 1 : 2)",
  SOCK_RAW: "3",
  SOCK_RDM: "4",
  SOCK_SEQPACKET: "5",
  SOCK_DCCP: "6",
  SOCK_PACKET: "10",
  SOCK_CLOEXEC: "O_CLOEXEC",
  SOCK_NONBLOCK: "O_NONBLOCK",
};

/** Sockets. */
export const SOCKETS: readonly SetSource[] = [
  one("family", "", NOTHING, {
    libc: ["sys/socket.h"],
    names: /^AF_/,
    not: /^AF_MAX$/,
    second: /^AF_(?:LOCAL|FILE|ROUTE)$/,
  }),
  flags("socket-type", "linux/fcntl.h", NOTHING, {
    fields: ["0xf"],
    define: SOCKET_TYPES,
  }),
  flags("accept", "linux/fcntl.h", NOTHING, {
    define: { SOCK_CLOEXEC: "O_CLOEXEC", SOCK_NONBLOCK: "O_NONBLOCK" },
  }),
  one("ip-protocol", "linux/in.h", /^IPPROTO_/, { not: /^IPPROTO_MAX$/ }),
  one("netlink-protocol", "linux/netlink.h", /^NETLINK_[A-Z0-9_]+$/, {
    not:
      /^NETLINK_(?:ADD_MEMBERSHIP|DROP_MEMBERSHIP|PKTINFO|BROADCAST_ERROR|NO_ENOBUFS|(?:RX|TX)_RING|LISTEN_ALL_NSID|LIST_MEMBERSHIPS|CAP_ACK|EXT_ACK|GET_STRICT_CHK|(?:UN)?CONNECTED)$/,
    second: /^NETLINK_INET_DIAG$/,
  }),
  one(
    "socket-level",
    "asm/socket.h linux/in.h",
    /^SOL_|^IPPROTO_(?:IP|IPV6|TCP|UDP|ICMPV6|RAW|SCTP)$/,
    {
      libc: ["sys/socket.h", "netinet/tcp.h", "netinet/udp.h"],
      second: /^IPPROTO_/,
    },
  ),
  one("so", "asm/socket.h", /^(?:SO|SCM)_/, {
    not:
      /^SCM_(?!TIMESTAMPING_(?:PKTINFO|OPT_STATS))|^SO_(?:TIMESTAMP|TIMESTAMPNS|TIMESTAMPING|RCVTIMEO|SNDTIMEO)$/,
    second: /^SCM_|^SO_(?:GET_FILTER|DETACH_BPF|STYLE)$/,
  }),
  one("ip-option", "linux/in.h", /^(?:IP|MCAST)_/, {
    not:
      /^IP_(?:PMTUDISC_|DEFAULT_|MAX_|MSFILTER_SIZE|XFRM_POLICY_)|^MCAST_(?:EXCLUDE|INCLUDE)$/,
    second: /^IP_RECVRETOPTS$|^IP_ORIGDSTADDR$/,
  }),
  one("ipv6-option", "linux/in6.h", /^IPV6_[A-Z0-9_]+$/, {
    not: /^IPV6_(?:PMTUDISC_|FL_|FLOWINFO_|PRIORITY_|PREFER_|TLV_|OPTIONS?$)/,
    second: /^IPV6_ORIGDSTADDR$/,
  }),
  one("tcp-option", "linux/tcp.h", /^TCP_[A-Z0-9_]+$/, {
    not:
      /^TCP_(?:RESERVED_BITS|CM_INQ|FLAG_|MSS_|MD5SIG_|MAX_|NO_QUEUE|RECV_QUEUE$|SEND_QUEUE$|QUEUES_NR|FASTOPEN_CLIENT_FAIL|REPAIR_(?:ON|OFF)|CA_|NLA_|RECEIVE_ZEROCOPY_FLAG|AO_KEYF|AO_KEY_|AO_MAXKEYLEN|DATA_OFFSET|SYN_RETRIES|ACCECN_)/,
  }),
  one("udp-option", "linux/udp.h", /^UDP_[A-Z0-9_]+$/, { not: /^UDP_ENCAP_/ }),
  one(
    "netlink-option",
    "linux/netlink.h",
    /^NETLINK_(?:ADD_MEMBERSHIP|DROP_MEMBERSHIP|PKTINFO|BROADCAST_ERROR|NO_ENOBUFS|(?:RX|TX)_RING|LISTEN_ALL_NSID|LIST_MEMBERSHIPS|CAP_ACK|EXT_ACK|GET_STRICT_CHK)$/,
  ),
  one("packet-option", "linux/if_packet.h", /^PACKET_[A-Z0-9_]+$/, {
    not:
      /^PACKET_(?:HOST|BROADCAST|MULTICAST|OTHERHOST|OUTGOING|LOOPBACK|USER|KERNEL|FASTROUTE|FANOUT_.+|MR_.+|VNET_HDR_SZ_.+)$/,
  }),
  flags("msg", "", NOTHING, {
    libc: ["sys/socket.h"],
    names: /^MSG_/,
    not: /^MSG_(?:NOERROR|EXCEPT|COPY|STAT|INFO|STAT_ANY)$/,
    second: /^MSG_TRYHARD$/,
  }),
  one("shutdown", "", NOTHING, { libc: ["sys/socket.h"], names: /^SHUT_/ }),
  one("socketcall", "linux/net.h", /^SYS_/),
];
