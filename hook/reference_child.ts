/**
 * A program that builds a filter with the host's libseccomp: a library that crashes
 * or never ends takes nothing along.
 *
 * @module
 */

import { buildReference } from "./reference_build.ts";

if (import.meta.main) buildReference();
