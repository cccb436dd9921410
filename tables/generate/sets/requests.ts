/**
 * Sets of values: requests of ioctl(2). Numbers come from the headers; those that only the
 * kernel's own source has are written here.
 *
 * @module
 */

import { one, type SetSource } from "./source.ts";

/** Requests of ioctl(2) that are common. */
export const REQUESTS: SetSource = one(
  "ioctl",
  "asm/ioctls.h linux/sockios.h linux/fs.h linux/fiemap.h linux/blkpg.h linux/blkzoned.h linux/fscrypt.h linux/fsverity.h linux/loop.h linux/if_tun.h linux/vhost.h linux/kvm.h linux/fuse.h linux/dm-ioctl.h linux/random.h linux/rtc.h linux/userfaultfd.h linux/seccomp.h linux/perf_event.h linux/nsfs.h linux/kd.h linux/vt.h linux/uinput.h linux/input.h linux/hidraw.h linux/usbdevice_fs.h linux/nvme_ioctl.h linux/ppp-ioctl.h linux/vfio.h linux/dma-heap.h linux/dma-buf.h linux/udmabuf.h linux/nbd.h",
  /^(?:TIOC|TC|FIO|SIOC|KD|GIO_|PIO_|VT_[A-Z]|BLK)[A-Z0-9_]*$/,
  {
    requests: true,
    not:
      /^(?:TIOC(?:PKT|M|SER_TEMT)(?:_.+|$)|TIOCM_.+|TC(?:O|I)(?:ON|OFF|O?FLUSH)|TCIOFLUSH|TCSA.+|SIOC(?:DEVPRIVATE|PROTOPRIVATE)|KDSKBMODE_.+|VT_(?:AUTO|PROCESS|ACKACQ|EVENT_.+|MAX.+)|KD_(?:TEXT0?|TEXT1|GRAPHICS|.+FONT_.+)|BLK_[A-Z_]+|BLKTRACE_.+|BLKPG_.+|BLKDEV_.+|KDGKBMETA_.+|.*_MAGIC|.*_MASK|KDFONTOP.+)$/,
  },
);
