/**
 * The program, for tests that run it in another mount namespace.
 *
 * @module
 */

import { start } from "../../cli/main.ts";

if (import.meta.main) start();
