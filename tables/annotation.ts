/**
 * The name of the annotation that this program and the runtimes share.
 *
 * @module
 */

/**
 * The annotation from which crun takes a raw filter, as base64; crun(1), since
 * 0.18.
 *
 * @category Containers
 */
export const ANNOTATION = "run.oci.seccomp_bpf_data";
