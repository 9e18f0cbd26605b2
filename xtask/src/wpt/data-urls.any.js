// Of the tests of fetch the package carries the data alone: URLs, and what is in them ("resources/data-urls.json", "resources/base64.json").
const [urls, base64] = ["resources/data-urls.json", "resources/base64.json"].map((name) => JSON.parse(args.resources[name]));
const encoded = base64.map(([text, bytes]) => ["data:;base64," + text, bytes && "text/plain;charset=US-ASCII", bytes]);
for (const [url, type, bytes] of [...urls, ...encoded]) {
  promise_test(async (test) => {
    if (type === null) return promise_rejects_js(test, TypeError, fetch(url));
    const response = await fetch(url);
    assert_equals(response.headers.get("content-type"), type);
    assert_array_equals(new Uint8Array(await response.arrayBuffer()), bytes);
  }, JSON.stringify(url));
}
