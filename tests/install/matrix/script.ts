/**
 * Lines of `sh` that rows of the matrix share. They are run inside a root of
 * another release, which has only the packages and this program.
 *
 * @module
 */

/** Packages for the commands of a row. */
export const PACKAGES: readonly string[] = [
  ...["bash", "coreutils", "crun", "dash", "findutils", "grep", "libc-bin"],
  ...["mawk", "mount", "procps", "runc", "sed", "util-linux"],
];

/**
 * Begins a script: the program as `tree`, a container's files in /run/rootfs, and
 * a shim in front of crun.
 *
 * `check WHAT COMMAND…` prints `bad: WHAT` with the command's output if it fails.
 * `digest` lists all files but the containers' and crun's: contents and modes of
 * /etc and /usr/local, modes of /home; size, mode and time of the rest.
 *
 * @param shared Folder with Deno, the program, and packages of npm.
 */
export function prelude(shared: string): string {
  return `
export PATH=/usr/sbin:/usr/bin HOME=/root DENO_DIR=${shared} NO_COLOR=1
tree() { ${shared}/deno run -A ${shared}/program/cli/main.ts "$@"; }
pod() { ${shared}/deno run -A ${shared}/program/tests/install/matrix/pod.ts "$@" 2>/run/pod; }
check() {
  what=$1
  shift
  "$@" >/run/said 2>&1 || { echo "bad: $what"; head -c 2000 /run/said; }
}
digest() {
  { /usr/bin/find /etc /usr/local -type f -exec sha256sum {} +
    /usr/bin/find /etc ! -type d -printf '%p %m %l\\n'
    /usr/bin/find /usr -path /usr/lib/shim -prune -o -path /usr/bin/crun -prune \\
      -o ! -type d -printf '%p %s %m %T@ %l\\n'
    /usr/bin/find /home -name containers -prune -o ! -type d -printf '%p %m %l\\n'
    /usr/bin/find /var/lib -maxdepth 1 -name 'seccomp-tree*'
  } | sort
}
# /usr/bin/crun is as new as its package after an upgrade.
place_crun() {
  cp "$1" /usr/lib/shim/crun.new
  mv /usr/lib/shim/crun.new /usr/lib/shim/crun
  cp /usr/lib/shim/shim /usr/bin/crun.new
  mv /usr/bin/crun.new /usr/bin/crun
}
until_true() {
  for i in $(seq 200); do "$@" >/dev/null 2>&1 && return 0; sleep 0.2; done
  echo "bad: $* does not succeed"
}
mkdir -p /etc/containers /usr/local/bin /home /run/rootfs/bin /run/rootfs/tmp
cp /bin/busybox /run/rootfs/bin/
for name in sh sleep grep true; do ln -sf busybox /run/rootfs/bin/$name; done
echo '127.0.0.1 localhost' >/etc/hosts
touch /etc/resolv.conf
ldconfig
[ -e /etc/containers/policy.json ] ||
  echo '{"default":[{"type":"insecureAcceptAnything"}]}' >/etc/containers/policy.json
cp ${shared}/deno /usr/local/bin/deno
if [ ! -e /usr/lib/shim ]; then
  cp -r ${shared}/shim /usr/lib/shim
  cp /usr/bin/crun /usr/lib/shim/packaged
  place_crun /usr/lib/shim/packaged
fi
OLD=${shared}/old/crun
if [ -e $OLD ] && [ ! -e /usr/lib/old ]; then
  mkdir /usr/lib/old
  cp ${shared}/old/lib* /usr/lib/old
  echo /usr/lib/old >/etc/ld.so.conf.d/old.conf
  ldconfig
fi
`;
}

/** Starts containerd, or starts it again. */
export const CONTAINERD = `
start_containerd() {
  containerd >>/run/containerd.log 2>&1 &
  containerd_pid=$!
  until_true ctr version
}
restart_containerd() {
  kill $containerd_pid
  wait $containerd_pid
  start_containerd
}
start_containerd
`;

/** Starts dockerd beside containerd. */
export const DOCKERD = `
dockerd --data-root /run/docker-data --storage-driver vfs --iptables=false \\
  --ip6tables=false --bridge=none --containerd /run/containerd/containerd.sock \\
  >/run/dockerd.log 2>&1 &
until_true docker info
`;

/**
 * Makes the image `localhost/matrix:1`, and that of the sandbox under the name that
 * this containerd has for it.
 */
export const IMAGES = `
sandbox=$(containerd config default | grep -oE 'registry.k8s.io/pause:[0-9.]+' | head -1)
mkdir -p /run/image
cd /run/image
busybox tar -C /run/rootfs -cf layer.tar .
layer=$(sha256sum layer.tar | cut -d ' ' -f 1)
echo '{"architecture":"amd64","os":"linux","config":{"Cmd":["/bin/busybox","sleep","100000"]},"rootfs":{"type":"layers","diff_ids":["sha256:'$layer'"]}}' >config.json
for name in localhost/matrix:1 $sandbox; do
  echo '[{"Config":"config.json","RepoTags":["'$name'"],"Layers":["layer.tar"]}]' >manifest.json
  busybox tar -cf image.tar manifest.json config.json layer.tar
  check "import $name" ctr --namespace k8s.io images import image.tar
done
cd /
`;

/**
 * Makes a user with Podman's storage in memory, who runs the program from now on:
 * `as_user COMMAND…`.
 *
 * @param shared As for {@linkcode prelude}.
 */
export function becomeUser(shared: string): string {
  return `
home=/home/user
mkdir -p $home/.config/containers /run/user/1000
echo 'user:x:1000:1000::/home/user:/bin/sh' >>/etc/passwd
echo 'user:x:1000:' >>/etc/group
echo 'user:100000:65536' | tee /etc/subuid >/etc/subgid
chmod u+s /usr/bin/newuidmap /usr/bin/newgidmap
echo '[containers]
cgroups = "disabled"
[engine]
events_logger = "none"
cgroup_manager = "cgroupfs"' >$home/.config/containers/containers.conf
echo '[storage]
driver = "vfs"' >$home/.config/containers/storage.conf
cp -r /run/rootfs /run/of-user
chown -R 1000:1000 $home /run/of-user /run/user/1000
chmod 700 /run/user/1000
as_user() {
  setpriv --reuid=1000 --regid=1000 --clear-groups env HOME=$home \\
    XDG_RUNTIME_DIR=/run/user/1000 "$@"
}
tree() { as_user ${shared}/deno run -A ${shared}/program/cli/main.ts "$@"; }
`;
}
