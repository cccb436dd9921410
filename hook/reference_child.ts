/**
 * A child process that builds a filter with the host's libseccomp, so that a
 * library that crashes or hangs does not affect the caller.
 *
 * @module
 */

import { buildReference } from "./reference_build.ts";

if (import.meta.main) buildReference();
