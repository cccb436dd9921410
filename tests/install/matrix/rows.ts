/**
 * Rows of the matrix: what is installed, used and uninstalled.
 *
 * @module
 */

import { becomeUser, CONTAINERD, DOCKERD, IMAGES } from "./script.ts";

/** One installation in one root. */
export interface Row {
  readonly manager: "podman" | "docker" | "containerd";
  readonly mode: "cache" | "hook" | "wrapper";
  /** Kind of use besides the installation: `pod`, `rootless` or `upgrade`. */
  readonly kind?: string;
  /** The releases that it is for; all by default. */
  readonly suites?: readonly string[];
  /** Lines of `sh` between the installation and its removal. */
  readonly use?: string;
  /** Lines of `sh` in place of the removal. */
  readonly removal?: string;
  /** Lines of `sh` before the installation. */
  readonly before?: string;
  /** Options of `install`; by default those of {@linkcode OPTIONS}. */
  readonly options?: string;
}

/** Lines of `sh` that start a daemon and wait for it. */
export const DAEMONS: Readonly<Record<Row["manager"], string>> = {
  podman: "",
  docker: `${CONTAINERD}${DOCKERD}`,
  containerd: CONTAINERD,
};

/** Options of `install`. */
export const OPTIONS: Readonly<Record<Row["manager"], string>> = {
  podman: "",
  docker: "--reload",
  containerd: "--append",
};

/** Packages of a manager. */
export const MANAGER_PACKAGES: Readonly<
  Record<Row["manager"], readonly string[]>
> = {
  podman: [
    ...["conmon", "golang-github-containers-common", "netavark", "podman"],
    ...["uidmap"],
  ],
  docker: ["containerd", "docker-cli", "docker.io"],
  containerd: ["containerd"],
};

/** Prints the version of a manager. */
export const VERSIONS: Readonly<Record<Row["manager"], string>> = {
  podman: "podman --version",
  docker: "dockerd --version",
  containerd: "containerd --version",
};

/**
 * Pods by the Container Runtime Interface. The second pod's sandbox and container
 * run the tree, and so does what is started in it.
 */
function podUse(mode: Row["mode"]): string {
  return `
restart_containerd
${IMAGES}
first=$(pod run first seccomp-tree) || echo "bad: pod: $(tail -3 /run/pod)"
${mode === "cache" ? "check optimize tree cache optimize" : ""}
second=$(pod run second seccomp-tree) || echo "bad: pod: $(tail -3 /run/pod)"
filters=$(tree status 2>&1 | grep -E '^containerd +default/second' || tree status 2>&1)
[ "$(echo "$filters" | grep -cE ' tree ')" = 2 ] || echo "bad: filters: $filters"
exec=$(pod exec "\${second#* }" grep -E '^Seccomp(_filters)?:' /proc/self/status)
[ "$(echo $exec)" = "Seccomp: 2 Seccomp_filters: 1" ] || echo "bad: exec: $exec $(tail -3 /run/pod)"
for one in "$first" "$second"; do check "remove a pod" pod remove "\${one% *}"; done
`;
}

/** How to handle a container of each manager. */
const HANDLING: Readonly<Record<Row["manager"], string>> = {
  podman: `
begin() { podman run -d --name $1 --network=none --cgroups=disabled --ulimit=host --rootfs /run/rootfs sleep 100000; }
plain() { begin $1; }
inside() { podman exec $1 grep '^Seccomp:.2' /proc/self/status; }
end() { podman rm --force --time=0 $1; }
pid_of() { podman inspect --format '{{.State.Pid}}' $1; }
`,
  docker: `
busybox tar -C /run/rootfs -c . | docker import - base >/dev/null
mkdir -p /etc/docker
echo '{"runtimes":{"plain":{"path":"/usr/bin/crun"}}}' >/etc/docker/daemon.json
kill -HUP $(pgrep -x dockerd)
until_true sh -c 'docker info | grep -q plain'
begin() { docker run -d --name $1 --network=none --runtime seccomp-tree base sleep 100000; }
plain() { docker run -d --name $1 --network=none --runtime plain base sleep 100000; }
inside() { docker exec $1 grep '^Seccomp:.2' /proc/self/status; }
end() { docker rm --force $1; }
pid_of() { docker inspect --format '{{.State.Pid}}' $1; }
`,
  containerd: `
W=/usr/local/lib/seccomp-tree/containerd/crun
with() { ctr run -d --seccomp --rootfs --runc-binary $2 /run/rootfs $1 /bin/sleep 100000; }
plain() { with $1 /usr/bin/crun; }
begin() { if [ -e $W ]; then with $1 $W; else plain $1; fi; }
inside() { ctr tasks exec --exec-id exec$(date +%N) $1 /bin/grep '^Seccomp:.2' /proc/self/status; }
end() { ctr tasks kill --signal KILL $1; until_true ctr tasks delete --force $1; ctr containers delete $1; }
pid_of() { ctr tasks list | mawk -v n=$1 '$1 == n { print $2 }'; }
`,
};

/**
 * Upgrades crun between installation and removal, with containers running
 * throughout: one from before the installation, one that used it, one from after
 * the upgrade. At the end all three run, execute commands and can be removed.
 */
function upgrade(manager: Row["manager"], mode: Row["mode"]): Row {
  const filterOf = `
filter_of() { tree status 2>&1 | grep -E " $(pid_of $1) " | grep -oE ' (tree|annotation|libseccomp|none|unknown) ' | tr -d ' '; }
expect() { got=$(filter_of $1); [ "$got" = $2 ] || echo "bad: $1 has $got, not $2"; }
all_well() { for n in "$@"; do check "$n does not answer" inside $n; done; }
`;
  const again = mode === "cache"
    ? `check "first with a section" begin warm$n
check optimize tree cache optimize
check "remove warm$n" end warm$n
`
    : "";
  return {
    manager,
    mode,
    kind: "upgrade",
    suites: ["sid"],
    before: `
place_crun $OLD
${HANDLING[manager]}${filterOf}
check "start before" plain before
pid_before=$(pid_of before)
`,
    use: `
n=1
${again}check "start used" begin used
pid_used=$(pid_of used)
expect used tree
place_crun /usr/lib/shim/packaged
crun --version | head -1
all_well before used
n=2
${again}check "start after" begin after
pid_after=$(pid_of after)
expect after tree
expect used tree
expect before libseccomp
all_well before used after
`,
    removal: `
tree uninstall ${manager} >/run/removal 2>&1
status=$?
${
      mode === "wrapper"
        ? `[ $status = 5 ] || echo "bad: uninstall ends with $status: $(cat /run/removal)"
check "uninstall --force" tree uninstall --force ${manager}
`
        : `[ $status = 0 ] || echo "bad: uninstall ends with $status: $(cat /run/removal)"`
    }
all_well before used after
[ "$(pid_of before) $(pid_of used) $(pid_of after)" = "$pid_before $pid_used $pid_after" ] ||
  echo "bad: a container was started again"
for name in before used after; do check "remove $name" end $name; done
${mode === "wrapper" ? `check "uninstall at last" tree uninstall` : ""}
`,
  };
}

/** Podman of a user: the user's own cache has the tree, and then crun's list again. */
function rootless(shared: string): Row {
  return {
    manager: "podman",
    mode: "cache",
    kind: "rootless",
    options: "--user",
    before: `${becomeUser(shared)}
begin() { as_user podman run -d --name $1 --network=none --rootfs /run/of-user sleep 100000; }
replaced() { /usr/bin/find /run/user/1000/crun/.cache/seccomp -type f -perm -1000 | wc -l; }
`,
    use: `
check "start" begin one
check "exec" as_user podman exec one grep '^Seccomp:.2' /proc/self/status
tree status 2>&1 | grep -qE '^podman +one +[0-9]+ .* tree ' || echo "bad: $(tree status 2>&1 | tail -5)"
[ $(replaced) = 1 ] || echo "bad: $(replaced) filters are replaced"
`,
    removal: `
check "uninstall" tree uninstall --user
[ $(replaced) = 0 ] || echo "bad: $(replaced) filters are still replaced"
check "exec at last" as_user podman exec one true
check "remove" as_user podman rm --force --time=0 one
`,
  };
}

/**
 * Lists all rows.
 *
 * @param shared Folder with Deno and the program.
 */
export function rowsWith(shared: string): readonly Row[] {
  return [...ROWS, rootless(shared)];
}

const ROWS: readonly Row[] = [
  { manager: "podman", mode: "cache" },
  { manager: "podman", mode: "hook" },
  { manager: "docker", mode: "cache", suites: ["trixie", "sid"] },
  { manager: "docker", mode: "wrapper", suites: ["trixie", "sid"] },
  { manager: "containerd", mode: "cache", suites: ["trixie", "sid"] },
  { manager: "containerd", mode: "wrapper", suites: ["trixie", "sid"] },
  ...(["cache", "wrapper"] as const).map((mode): Row => ({
    ...{ manager: "containerd", mode, kind: "pod" },
    ...{ suites: ["trixie", "sid"], use: podUse(mode) },
  })),
  upgrade("podman", "cache"),
  upgrade("podman", "hook"),
  upgrade("podman", "wrapper"),
  upgrade("docker", "cache"),
  upgrade("docker", "wrapper"),
  upgrade("containerd", "cache"),
  upgrade("containerd", "wrapper"),
];
