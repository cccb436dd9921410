/**
 * The choices of the page's menus.
 *
 * @module
 */

import type { ArchName } from "../tables/arch.ts";

/** Every architecture, the usual ones first; the order of the menu. */
const NAMES: Readonly<Record<ArchName, true>> = {
  "x86_64": true,
  aarch64: true,
  x86: true,
  x32: true,
  arm: true,
  riscv64: true,
  s390x: true,
  s390: true,
  ppc64le: true,
  ppc64: true,
  ppc: true,
  loongarch64: true,
  mips64el: true,
  mipsel: true,
  mipsel64n32: true,
  mips64: true,
  mips: true,
  mips64n32: true,
};

/** Names of the architectures. */
export const ARCH_NAMES: readonly ArchName[] =
  // The keys are those of the record.
  Object.keys(NAMES) as ArchName[];
