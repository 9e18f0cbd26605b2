// Made of js-runtime/src/node-url.ts by `cargo xtask generate`.
// node:url: https://nodejs.org/api/url.html
((ops     , intrinsics            ) => {
  const { charCodeAt, decodeURIComponent, Error, indexOf, join, list, push, slice, TypeError } = intrinsics;
  const { coded, define, leaveOut, text, wrongType }             = ops.library_value("nodeShared");
  const { dictionary } = ops.library_value("webidl");
  const URL                        = ops.library_value("URL"), hrefOf = ops.library_value("hrefOf");
  const resolve = (path        )         => ops.library_value("node:path").resolve(path);

  const parsed = (href        )           => {
    const parts                  = ops.library_value("urlOf")(href);
    if (parts === null) throw coded(new TypeError("Invalid URL: " + href), "ERR_INVALID_URL");
    return parts;
  };
  const partsOf = (value         )           => {
    const href = typeof value === "string" ? value : hrefOf(value);
    if (href === undefined) throw wrongType("url", "of type string or an instance of URL", value);
    return parsed(href);
  };

  function fileURLToPath(url         )         {
    const { protocol, hostname, pathname } = partsOf(url);
    if (protocol !== "file:") throw coded(new TypeError("The URL must be of scheme file"), "ERR_INVALID_URL_SCHEME");
    if (hostname !== "") throw coded(new TypeError("File URL host must be \"localhost\" or empty on linux"), "ERR_INVALID_FILE_URL_HOST");
    const lower = intrinsics.toLowerCase(pathname);
    if (indexOf(lower, "%2f") >= 0) throw coded(new TypeError("File URL path must not include encoded / characters"), "ERR_INVALID_FILE_URL_PATH");
    return decodeURIComponent(pathname);
  }

  /** What would not be taken for a part of a path. */
  const ESCAPED      = { __proto__: null, 9: "%09", 10: "%0A", 13: "%0D", 35: "%23", 37: "%25", 63: "%3F", 92: "%5C" };
  function pathToFileURL(path        )      {
    const whole = intrinsics.toWellFormed(resolve(text(path, "path"))), encoded           = list();
    let from = 0;
    for (let i = 0; i < whole.length; i++) {
      const as = ESCAPED[charCodeAt(whole, i)];
      if (as === undefined) continue;
      push(encoded, slice(whole, from, i));
      push(encoded, as);
      from = i + 1;
    }
    push(encoded, slice(whole, from));
    const ends = whole !== "/" && path !== "" && charCodeAt(path, path.length - 1) === 47;
    return new URL("file://" + join(encoded, "") + (ends ? "/" : ""));
  }

  function urlToHttpOptions(url         )         {
    const parts = partsOf(url), options      = {
      __proto__: null, protocol: parts.protocol, hostname: parts.hostname[0] === "[" ? slice(parts.hostname, 1, -1) : parts.hostname, hash: parts.hash, search: parts.search, pathname: parts.pathname,
      path: parts.pathname + parts.search, href: parts.href,
    };
    if (parts.port !== "") options.port = intrinsics.Number(parts.port);
    if (parts.username !== "" || parts.password !== "") options.auth = decodeURIComponent(parts.username) + ":" + decodeURIComponent(parts.password);
    return options;
  }

  function format(url     , options          = undefined)         {
    if (hrefOf(url) === undefined) throw coded(new Error("url.format of anything but a URL is not here: make a URL of it"), "ERR_METHOD_NOT_IMPLEMENTED");
    const { auth = true, fragment = true, search = true, unicode = false } = dictionary(options, "the options of url.format"), parts = partsOf(url);
    const user = auth && (parts.username !== "" || parts.password !== "") ? parts.username + (parts.password === "" ? "" : ":" + parts.password) + "@" : "";
    const host = unicode && parts.hostname !== "" ? ops.url_domain(parts.hostname, true) + (parts.port === "" ? "" : ":" + parts.port) : parts.host;
    const slashes = indexOf(parts.href, parts.protocol + "//") === 0 ? "//" : "";
    return parts.protocol + slashes + user + host + parts.pathname + (search ? parts.search : "") + (fragment ? parts.hash : "");
  }

  const url      = define({}, {
    __proto__: null, URL,
    URLPattern: ops.library_value("URLPattern"),
    URLSearchParams: ops.library_value("URLSearchParams"),
    domainToASCII: (domain         )         => ops.url_domain(text(domain, "domain"), false),
    domainToUnicode: (domain         )         => ops.url_domain(text(domain, "domain"), true),
    fileURLToPath, format, pathToFileURL, urlToHttpOptions,
  });
  leaveOut(url, "url", ["Url", "fileURLToPathBuffer", "parse", "resolve", "resolveObject"], "use new URL(text, base)");
  return { "node:url": intrinsics.freeze(url) };
})
