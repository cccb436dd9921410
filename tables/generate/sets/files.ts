/**
 * Sets of values: files, directories and mounts. Numbers come from the headers; those that only the
 * kernel's own source has are written here.
 *
 * @module
 */

import { flags, NOTHING, one, type SetSource } from "./source.ts";

/** Files, directories and mounts. */
export const FILES: readonly SetSource[] = [
  flags("open", "linux/fcntl.h", /^(?:__)?O_/, {
    not: /^O_(?:ACCMODE|NDELAY)$|^__O_TMPFILE$/,
    fields: ["O_ACCMODE"],
    define: { O_ASYNC: "FASYNC" },
  }),
  flags("mode", "linux/stat.h", /^S_IF[A-Z]+$/, {
    not: /^S_IFMT$/,
    fields: ["S_IFMT"],
  }),
  flags("dup3", "linux/fcntl.h", /^O_CLOEXEC$/),
  flags(
    "pipe2",
    "linux/fcntl.h linux/watch_queue.h",
    /^O_(?:CLOEXEC|NONBLOCK|DIRECT|NOTIFICATION_PIPE)$/,
    {
      second: /^O_(?:NOTIFICATION_PIPE|EXCL)$/,
    },
  ),
  one(
    "fcntl",
    "linux/fcntl.h",
    /^F_(?:DUP|GET|SET|ADD|CANCEL|OFD|NOTIFY|CREATED|DUPFD)[A-Z0-9_]*$/,
    {},
  ),
  flags("fd-flag", "linux/fcntl.h", /^FD_CLOEXEC$/),
  flags("seal", "linux/fcntl.h", /^F_SEAL_/),
  flags("notify", "linux/fcntl.h", /^DN_/),
  one("lease", "linux/fcntl.h", /^F_(?:RD|WR|UN)LCK$/),
  flags("flock", "linux/fcntl.h", /^LOCK_/),
  one("dirfd", "linux/fcntl.h", /^AT_FDCWD$/),
  flags(
    "at",
    "linux/fcntl.h",
    /^AT_(?:SYMLINK_NOFOLLOW|EMPTY_PATH|NO_AUTOMOUNT)$/,
  ),
  flags(
    "at-recursive",
    "linux/fcntl.h",
    /^AT_(?:SYMLINK_NOFOLLOW|EMPTY_PATH|NO_AUTOMOUNT|RECURSIVE)$/,
  ),
  flags(
    "faccessat",
    "linux/fcntl.h",
    /^AT_(?:SYMLINK_NOFOLLOW|EMPTY_PATH|EACCESS)$/,
  ),
  flags("unlinkat", "linux/fcntl.h", /^AT_REMOVEDIR$/),
  flags("linkat", "linux/fcntl.h", /^AT_(?:SYMLINK_FOLLOW|EMPTY_PATH)$/),
  flags(
    "execveat",
    "linux/fcntl.h",
    /^AT_(?:SYMLINK_NOFOLLOW|EMPTY_PATH|EXECVE_CHECK)$/,
  ),
  flags(
    "name-to-handle",
    "linux/fcntl.h",
    /^AT_(?:SYMLINK_FOLLOW|EMPTY_PATH|HANDLE_FID|HANDLE_MNT_ID_UNIQUE|HANDLE_CONNECTABLE)$/,
  ),
  flags(
    "statx-flags",
    "linux/fcntl.h",
    /^AT_(?:SYMLINK_NOFOLLOW|EMPTY_PATH|NO_AUTOMOUNT|STATX_.+)$/,
    {
      not: /^AT_STATX_SYNC_TYPE$/,
      fields: ["AT_STATX_SYNC_TYPE"],
    },
  ),
  flags("statx", "linux/stat.h", /^STATX_/, {
    not: /^STATX_(?:ATTR_|_RESERVED|ALL$)/,
  }),
  flags("access", "", NOTHING, {
    names: /^[FXWR]_OK$/,
    define: { F_OK: "0", X_OK: "1", W_OK: "2", R_OK: "4" },
  }),
  one("whence", "linux/fs.h", /^SEEK_/, { not: /^SEEK_MAX$/ }),
  flags("rename", "linux/fs.h", /^RENAME_/),
  flags("fallocate", "linux/falloc.h", /^FALLOC_FL_/),
  one("fadvise", "linux/fadvise.h", /^POSIX_FADV_/),
  flags("sync-file-range", "linux/fs.h", /^SYNC_FILE_RANGE_/, {
    second: /^SYNC_FILE_RANGE_WRITE_AND_WAIT$/,
  }),
  flags("rwf", "linux/fs.h", /^RWF_/, { not: /^RWF_SUPPORTED$/ }),
  flags("xattr", "linux/xattr.h", /^XATTR_(?:CREATE|REPLACE)$/),
  flags("splice", "", NOTHING, { libc: ["fcntl.h"], names: /^SPLICE_F_/ }),
  flags("close-range", "linux/close_range.h", /^CLOSE_RANGE_/),
  flags("inotify", "linux/inotify.h", /^IN_/, {
    not: /^IN_(?:ALL_EVENTS|CLOEXEC|NONBLOCK|CLASS.*)$/,
    second: /^IN_(?:CLOSE|MOVE)$/,
  }),
  flags("inotify-init", "linux/inotify.h", /^IN_(?:CLOEXEC|NONBLOCK)$/),
  flags(
    "fanotify-init",
    "linux/fanotify.h",
    /^FAN_(?:CLOEXEC|NONBLOCK|CLASS_.+|UNLIMITED_.+|ENABLE_AUDIT|REPORT_.+)$/,
    {
      fields: ["0xc"],
      second: /^FAN_REPORT_DFID_NAME(?:_TARGET)?$/,
    },
  ),
  flags("fanotify-mark", "linux/fanotify.h", /^FAN_MARK_/, {
    not: /^FAN_MARK_INODE$/,
    second: /^FAN_MARK_IGNORE_SURV$/,
  }),
  flags(
    "fanotify-event",
    "linux/fanotify.h",
    /^FAN_(?:ACCESS|MODIFY|ATTRIB|CLOSE_.+|OPEN.*|MOVED_.+|CREATE|DELETE.*|MOVE_SELF|FS_ERROR|PRE_ACCESS|MNT_.+|ACCESS_PERM|RENAME|EVENT_ON_CHILD|ONDIR|Q_OVERFLOW)$/,
  ),
  flags("mount", "linux/mount.h", /^MS_/, {
    not: /^MS_(?:RMT_MASK|MGC_MSK)$/,
    second: /^MS_VERBOSE$/,
  }),
  flags("umount", "", NOTHING, {
    libc: ["sys/mount.h"],
    names: /^(?:MNT_(?:FORCE|DETACH|EXPIRE)|UMOUNT_NOFOLLOW)$/,
  }),
  flags("fsopen", "linux/mount.h", /^FSOPEN_/),
  flags("fsmount", "linux/mount.h", /^FSMOUNT_/),
  flags("fspick", "linux/mount.h", /^FSPICK_/),
  one("fsconfig", "linux/mount.h", /^FSCONFIG_/),
  flags("mount-attr", "linux/mount.h", /^MOUNT_ATTR_/, {
    not: /^MOUNT_ATTR_(?:_ATIME|SIZE_.+)$/,
    fields: ["MOUNT_ATTR__ATIME"],
  }),
  flags(
    "open-tree",
    "linux/mount.h linux/fcntl.h",
    /^OPEN_TREE_|^AT_(?:SYMLINK_NOFOLLOW|EMPTY_PATH|NO_AUTOMOUNT|RECURSIVE)$/,
  ),
  flags("move-mount", "linux/mount.h", /^MOVE_MOUNT_/, {
    not: /^MOVE_MOUNT__MASK$/,
  }),
  flags("swapon", "", NOTHING, {
    libc: ["sys/swap.h"],
    names: /^SWAP_FLAG_/,
    not: /^SWAP_FLAG_PRIO_(?:MASK|SHIFT)$/,
  }),
  flags(
    "quotactl",
    "linux/quota.h linux/dqblk_xfs.h",
    /^(?:Q_|(?:USR|GRP|PRJ)QUOTA$)/,
    {
      fields: ["0xff", "0xffffff00"],
      not: /^Q_XQUOTA/,
      second: /^Q_XGETQSTATV?$/,
      shift: [/^Q_/, 8],
    },
  ),
];
