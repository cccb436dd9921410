/**
 * A registry with the protocol of JSR, on this machine: what `deno publish`
 * calls, and the files that `jsr:` imports fetch. It keeps everything in memory
 * and logs each request.
 *
 * @module
 */

/** A running registry. */
export interface Registry extends AsyncDisposable {
  /** Value of JSR_URL. */
  readonly url: string;
  /** Paths of all requests in order, until the array is emptied. */
  readonly log: string[];
  /** True to answer no requests, as if there were no network. */
  refuse: boolean;
  /** Publishes a package, as `@scope/name`. */
  put(name: string, version: string, content: Version): void;
  /** Published files of a package by path, such as `/mod.ts`. */
  files(name: string, version: string): ReadonlyMap<string, Uint8Array>;
}

/** A published version. */
export interface Version {
  /** Modules by export, as in `deno.json`. */
  readonly exports: unknown;
  /** Content by path, such as `/mod.ts`. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** Starts a registry on a free port of the loopback interface. */
export function startRegistry(): Registry {
  const packages = new Map<string, Map<string, Version>>();
  const log: string[] = [];
  const put: Registry["put"] = (name, version, content) => {
    const versions = packages.get(name) ?? new Map<string, Version>();
    packages.set(name, versions.set(version, content));
  };
  const answer = async (request: Request): Promise<Response> => {
    const path = decodeURIComponent(new URL(request.url).pathname);
    log.push(path);
    if (registry.refuse) return new Response(null, { status: 503 });
    const api =
      /^\/api\/scopes\/([^/]+)\/packages\/([^/]+)(?:\/versions\/(.+))?$/
        .exec(path);
    if (api !== null) {
      const [, scope = "", name = "", version] = api;
      if (version === undefined) return Response.json({ scope, name });
      put(`@${scope}/${name}`, version, await unpack(request));
      return Response.json({ id: version, status: "success", error: null });
    }
    const [, name = "", version = "", file = ""] =
      /^\/(@[^/]+\/[^/]+)\/([^/]+)(\/.*)?$/.exec(path) ?? [];
    const versions = packages.get(name);
    if (versions === undefined) return new Response(null, { status: 404 });
    if (version === "meta.json") {
      const names = [...versions.keys()].map((key) => [key, {}]);
      return Response.json({ versions: Object.fromEntries(names) });
    }
    const meta = versions.get(version.replace(/_meta\.json$/, ""));
    if (meta !== undefined && version.endsWith("_meta.json")) {
      return Response.json({
        exports: meta.exports,
        manifest: await manifestOf(meta.files),
      });
    }
    const bytes = meta?.files.get(file);
    return new Response(bytes?.slice(), { status: bytes ? 200 : 404 });
  };
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    answer,
  );
  const registry: Registry = {
    url: `http://127.0.0.1:${server.addr.port}/`,
    log,
    refuse: false,
    put,
    files: (name, version) =>
      packages.get(name)?.get(version)?.files ?? new Map(),
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
  return registry;
}

/** Reads what `deno publish` sends: a compressed archive in the format of tar. */
async function unpack({ url, body }: Request): Promise<Version> {
  const stream = body?.pipeThrough(new DecompressionStream("gzip"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  const files = new Map<string, Uint8Array>();
  for (let at = 0; bytes[at] ?? 0;) {
    const field = (from: number, length: number): string =>
      new TextDecoder().decode(bytes.subarray(at + from, at + from + length))
        .replace(/\0.*$/s, "");
    const size = parseInt(field(124, 12), 8);
    const path = field(0, 100).replace(/^\.?\/?/, "/");
    files.set(path, bytes.slice(at + 512, at + 512 + size));
    at += 512 + 512 * Math.ceil(size / 512);
  }
  const config = new URL(url).searchParams.get("config") ?? "";
  const { exports } = JSON.parse(new TextDecoder().decode(files.get(config)));
  return {
    exports: typeof exports === "string" ? { ".": exports } : exports,
    files,
  };
}

async function manifestOf(
  files: ReadonlyMap<string, Uint8Array>,
): Promise<Record<string, unknown>> {
  const manifest: Record<string, unknown> = {};
  for (const [path, bytes] of files) {
    const hash = await crypto.subtle.digest("SHA-256", bytes.slice());
    const checksum = `sha256-${new Uint8Array(hash).toHex()}`;
    manifest[path] = { size: bytes.length, checksum };
  }
  return manifest;
}
