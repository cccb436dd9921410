/**
 * Stand-in for `jsr:@std/path` if JSR cannot be reached: the few functions that
 * this project uses, for POSIX paths, with the signatures of the real package.
 * A package installed from JSR gets the real one.
 *
 * Written without `node:path`, whose loading costs a command 10 ms.
 *
 * @module
 */

/** Reports whether a path begins at the root. */
function isAbsolute(path: string): boolean {
  return path.startsWith("/");
}

/** Removes `.`, `..` and repeated slashes from a path. */
function normalize(path: string): string {
  if (path === "") return ".";
  const absolute = isAbsolute(path);
  const kept: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") kept.push(part);
    else if (kept.length > 0 && kept[kept.length - 1] !== "..") kept.pop();
    else if (!absolute) kept.push(part);
  }
  const body = kept.join("/");
  if (body === "") return absolute ? "/" : path.endsWith("/") ? "./" : ".";
  return `${absolute ? "/" : ""}${body}${path.endsWith("/") ? "/" : ""}`;
}

/** Joins the parts of a path and normalizes it. */
export function join(...parts: string[]): string {
  return normalize(parts.filter((part) => part !== "").join("/"));
}

/** The path of the folder that contains a path. */
export function dirname(path: string): string {
  const trimmed = trimEnd(path);
  const at = trimmed.lastIndexOf("/");
  if (at === -1) return trimmed === "" && isAbsolute(path) ? "/" : ".";
  return at === 0 ? "/" : trimEnd(trimmed.slice(0, at)) || "/";
}

/** The last part of a path, without `suffix` if it ends in that. */
export function basename(path: string, suffix = ""): string {
  const trimmed = trimEnd(path);
  if (trimmed === "" && isAbsolute(path)) return "/";
  const name = trimmed.slice(trimmed.lastIndexOf("/") + 1);
  return suffix !== "" && name !== suffix && name.endsWith(suffix)
    ? name.slice(0, -suffix.length)
    : name;
}

/** The path of a file URL. */
export function fromFileUrl(url: string | URL): string {
  const { protocol, pathname } = new URL(url);
  if (protocol !== "file:") {
    throw new TypeError(`URL must be a file URL: received "${protocol}"`);
  }
  return decodeURIComponent(pathname);
}

function trimEnd(path: string): string {
  let end = path.length;
  while (end > 0 && path[end - 1] === "/") end--;
  return path.slice(0, end);
}
